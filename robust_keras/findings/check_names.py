"""What the checks of a report are called: each name is written down here, and nowhere else."""

# Of the numbers and of the model as it stands.
CLEAN_ACCURACY = "clean accuracy"
READING_OF_THE_IMAGES = "reading of the images"
ORDER_OF_THE_CLASSES = "order of the classes"
ACCURACY_IN_TRAINING = "accuracy in training"
REPEATABLE_ANSWERS = "repeatable answers"
BATCH_INDEPENDENCE = "batch independence"
SATURATED_LOGITS = "saturated logits"
OPERATIONS_THAT_MASK = "operations that mask"
LAYERS_THAT_MISLEAD = "layers that mislead"

# Of its gradients.
GRADIENT_AVAILABLE = "gradient available"
ZERO_GRADIENTS = "zero gradients"
GRADIENTS_AGAINST_DIFFERENCES = "gradients against differences"
ROUGH_LOSS = "rough loss"
RISING_LOSS = "rising loss"
SUCCESS_ON_THE_PATH = "success on the path"

# Of what attacks found, beside each other.
ATTACK_STRENGTH = "attack strength"
NOISE_AGAINST_GRADIENTS = "noise against gradients"
ONE_STEP_AGAINST_MANY = "one step against many"
UNBOUNDED_ATTACK = "unbounded attack"
FALLING_ACCURACY = "falling accuracy"
TRANSFERRED_EXAMPLES = "transferred examples"
SCALE_FREE_LOSS = "scale-free loss"
CONVERGED_ATTACK = "converged attack"
SEARCH_AGAINST_GRADIENTS = "search against gradients"

# These find fault with the attacks, not with the model.
OF_ATTACKS = frozenset({ATTACK_STRENGTH, CONVERGED_ATTACK})
