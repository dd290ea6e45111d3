"""The flags of both programs by topic. Standard library only."""
