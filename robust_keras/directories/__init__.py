"""What keeps a run's directory sound: whole files, one owner at a time, a record of its inputs."""
