"""Control as inference on finite-horizon tables: two answers to one question.

A trajectory τ = (s₁, a₁, …, s_T, a_T) gets the weight

    p(τ, O) = p(s₁) Π_t exp(r(s_t, a_t) / α) Π_t P(s_{t+1} | s_t, a_t),

that is, every action has the prior 1 (counting measure; under a uniform prior log p(O)
is smaller by T log |A|) and O says that all steps were optimal (Levine 2018,
arXiv:1805.00909v3, sections 2 and 3). Two policies follow.

- The *exact posterior* p(a_t | s_t, O) conditions the dynamics as well: it acts as if
  chance would be kind, Q = r + α log E exp(V(s') / α). It is optimistic.
- The *variational* one keeps the true dynamics: q(τ) = p(s₁) Π P π with the smallest
  KL(q ‖ p(τ | O)), which is maximum-entropy control, Q = r + E V(s').

They agree wherever V(s') does not depend on chance.
"""

import dataclasses

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import logsumexp, softmax

from pipeline.core.exact.mdp import check_temperature


@dataclasses.dataclass(frozen=True, eq=False)
class Episode:
    """A process of which T steps are taken."""

    transition: Float[ndarray, "state action state"]
    """P(s' | s, a), indexed [s, a, s']."""
    reward: Float[ndarray, "state action"]
    """r(s, a), in reward units."""
    initial: Float[ndarray, " state"]
    """p(s₁)."""
    steps: int
    """T >= 1, in environment steps."""


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """Values and policy at each step; the value after the last step is 0."""

    temperature: float
    """α, in reward units per nat."""
    q: Float[ndarray, "time state action"]
    """Q_t(s, a), in reward units."""
    value: Float[ndarray, "time state"]
    """V_t(s) = α log Σ_a exp(Q_t / α), in reward units."""

    @property
    def policy(self) -> Float[ndarray, "time state action"]:
        """π_t(a | s) = exp((Q_t - V_t) / α)."""
        log_policy = (self.q - self.value[..., None]) / self.temperature
        return np.asarray(np.exp(log_policy))


def exact_posterior(episode: Episode, *, temperature: float) -> Answer:
    """The optimistic answer: Q = α log β, π_t(a | s) = p(a_t = a | s_t = s, O).

        Q_t(s, a) = r(s, a) + α log Σ_s' P(s' | s, a) exp(V_{t+1}(s') / α)

    β_t(s, a) = p(O_{t:T} | s_t, a_t) are the backward messages of the smoother (Levine
    2018, section 2.3; those of T + 1 are 1).
    """
    check_temperature(temperature)
    messages = np.empty((episode.steps, *episode.reward.shape))
    state_message = np.zeros(len(episode.reward))
    for time in reversed(range(episode.steps)):
        ahead = logsumexp(state_message, b=episode.transition, axis=-1)
        messages[time] = episode.reward / temperature + ahead
        state_message = logsumexp(messages[time], axis=-1)
    value = temperature * logsumexp(messages, axis=-1)
    return Answer(temperature, temperature * messages, value)


def variational(episode: Episode, *, temperature: float) -> Answer:
    """The answer that keeps the true dynamics: maximum-entropy control.

        Q_t(s, a) = r(s, a) + Σ_s' P(s' | s, a) V_{t+1}(s')

    (Levine 2018, section 3; SAC 2018 Eq. 1 over a finite horizon with γ = 1.)
    """
    check_temperature(temperature)
    q = np.empty((episode.steps, *episode.reward.shape))
    value = np.zeros((episode.steps + 1, len(episode.reward)))
    for time in reversed(range(episode.steps)):
        q[time] = episode.reward + episode.transition @ value[time + 1]
        value[time] = temperature * logsumexp(q[time] / temperature, axis=-1)
    return Answer(temperature, q, value[:-1])


def log_evidence(episode: Episode, *, temperature: float) -> float:
    """The exact log p(O) = log E_{p(s₁)} exp(V₁ / α), in nats."""
    answer = exact_posterior(episode, temperature=temperature)
    first = answer.value[0] / temperature
    return float(logsumexp(first, b=episode.initial))


def evidence_bound(episode: Episode, *, temperature: float) -> float:
    """The largest lower bound on log p(O) with true dynamics, in nats.

    E_{p(s₁)} V₁ / α of the variational answer, below log p(O) by KL(q ‖ p(τ | O)).
    """
    answer = variational(episode, temperature=temperature)
    return float(episode.initial @ answer.value[0] / temperature)


def visited_marginals(
    episode: Episode, policy: Float[ndarray, "time state action"]
) -> Float[ndarray, "time state action"]:
    """Marginals p(s_t, a_t) of a policy in the true dynamics; 1 at each time."""
    joint = np.empty_like(policy)
    state = episode.initial
    for time in range(episode.steps):
        joint[time] = state[:, None] * policy[time]
        state = np.einsum("sa,sat->t", joint[time], episode.transition)
    return joint


def believed_dynamics(
    episode: Episode, answer: Answer
) -> Float[ndarray, "time state action state"]:
    """The dynamics that the exact posterior believes in, p(s_{t+1} | s_t, a_t, O).

    Proportional to P(s' | s, a) exp(V_{t+1}(s') / α); after the last step it is P.
    """
    ahead = np.zeros_like(answer.value)
    ahead[:-1] = answer.value[1:] / answer.temperature
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant
        log_transition = np.log(episode.transition)
    return np.asarray(softmax(log_transition + ahead[:, None, None, :], axis=-1))
