"""Training engine ``miniature``: the paper's experiment with a tiny model, on two CPU cores.

The base model is made in this order:

1. ``problems``: draws synthetic mathematics problems with exact answers and worked solutions.
2. ``tokenizer``: builds a vocabulary of numbers, words and signs, and the chat template.
3. ``corpus``: mixes terse, worked, boxed and wrong solutions, as a web corpus does.
4. ``pretrain``: trains a small Qwen2 on the corpus from random weights, and writes a Hugging Face directory.

``miniature_training.train`` then trains it with PPO. Each training step does this:

1. ``graded_rollouts``: samples responses (``generate``), grades them and makes the rows of the rollouts contract.
2. ``learner``: reads the frozen reference for the KL penalty and the critic's features, and computes advantages.
3. ``learner`` again: updates actor and critic with the losses of ``ppo``, one mini-batch after another.

``state`` saves everything at each checkpoint, so that a killed run resumes to the same bytes. ``model`` is the network,
``operations`` holds its fast attention and norms, ``batches`` pads token lists, and ``torch_process`` tunes memory.

Four choices differ from the fork of OpenRLHF that the paper's authors trained with (arXiv 2502.11886):

* Log-probabilities are computed at the temperature of the rollouts; the fork uses temperature 1.
* A loss is the mean over all tokens of a mini-batch; the fork, as its script runs it (packed samples), takes the mean
  over the tokens of each micro-batch of four responses.
* A mini-batch holds whole prompt groups, all responses to each of its prompts; the fork shuffles single responses.
* The critic is a small network on frozen features, the reference's hidden states; the fork's is a separate language
  model.
"""
