"""The learners: soft Q-learning, soft actor-critic, DDPG, REINFORCE."""
