"""Maximum-entropy control of a linear system with a quadratic cost, in closed form.

For s' = A s + B a + w, cov w = S, and r = -(s' Q s + a' R a), the soft Bellman equation
(SQL Eq. 7) has a quadratic solution, and its policy (SQL Eq. 6) is Gaussian:

    P = Q + γ A' P A - γ² A' P B M⁻¹ B' P A,    M = R + γ B' P B,    K = γ M⁻¹ B' P A,
    V(s) = -s' P s - c,    π(a | s) = N(-K s, (α/2) M⁻¹),
    c (1 - γ) = γ tr(P S) - (α/2) (m log(π α) - log det M)        with m actions.

The temperature changes neither P nor K: for α → 0 this is the linear-quadratic
regulator. Actions are unbounded here; `LinearQuadraticOracle` says for which box that
makes no difference.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.optimize import brentq
from scipy.stats import norm

from pipeline.core.exact.linear_system import System, quadratic
from pipeline.core.exact.mdp import check_discount, check_temperature

SWEEPS = 20_000
"""Of the Riccati iteration, before it counts as not converging."""
TOLERANCE = 1e-14
"""Of a sweep: its largest change relative to the largest entry of P."""
OUTSIDE = 1e-6
"""Probability that a whole episode has an action outside of the box."""


@dataclass(frozen=True, eq=False)
class SoftRegulator:
    """The best policy of a system with unbounded actions, and its values."""

    system: System
    temperature: float
    """α, in reward units per nat."""
    discount: float
    """γ, per environment step."""
    curvature: Float[ndarray, "state state"]
    """P, in reward units per squared unit of state."""
    gain: Float[ndarray, "action state"]
    """K: the mean action is -K s."""
    precision: Float[ndarray, "action action"]
    """M: the covariance of actions is (α/2) M⁻¹."""
    constant: float
    """c, in reward units."""

    @property
    def covariance(self) -> Float[ndarray, "action action"]:
        """Of the policy's actions, the same in every state."""
        return np.asarray(self.temperature / 2 * np.linalg.inv(self.precision))

    @property
    def entropy(self) -> float:
        """Of the policy, the same in every state, in nats."""
        actions = len(self.precision)
        _, log_det = np.linalg.slogdet(self.precision)
        return 0.5 * float(
            actions * (1 + math.log(math.pi * self.temperature)) - log_det
        )

    def value(self, state: Float[ndarray, "*batch state"]) -> Float[ndarray, "*batch"]:
        """V*(s), in reward units, with the entropy of actions as they are measured."""
        return np.asarray(-quadratic(self.curvature, state) - self.constant)

    def q(
        self,
        state: Float[ndarray, "*batch state"],
        action: Float[ndarray, "*batch action"],
    ) -> Float[ndarray, "*batch"]:
        """Q*(s, a) = r + γ E V*(s'), in reward units."""
        moved = self.system.advance(state, action, np.zeros_like(state))
        disturbance = self.system.noise**2 * float(np.trace(self.curvature))
        reward = self.system.reward(state, action)
        return np.asarray(reward + self.discount * (self.value(moved) - disturbance))


def solve(system: System, temperature: float, *, discount: float) -> SoftRegulator:
    """Iterate the Riccati equation to its fixed point.

    Raises:
        ValueError: α or γ is out of range, or no policy has a finite value.
    """
    check_temperature(temperature)
    check_discount(discount)
    curvature = _fixed_point(system, discount)
    weighted = discount * system.control.T @ curvature
    precision = system.action_cost + weighted @ system.control
    gain = np.linalg.solve(precision, weighted @ system.dynamics)
    _, log_det = np.linalg.slogdet(precision)
    disturbance = discount * system.noise**2 * np.trace(curvature)
    width = len(precision) * math.log(math.pi * temperature) - log_det
    constant = (disturbance - temperature / 2 * width) / (1 - discount)
    return SoftRegulator(
        system=system,
        temperature=temperature,
        discount=discount,
        curvature=curvature,
        gain=gain,
        precision=precision,
        constant=float(constant),
    )


def _fixed_point(system: System, discount: float) -> Float[ndarray, "state state"]:
    """P, from above 0: every sweep is one step of soft value iteration (SQL Eq. 8)."""
    curvature = np.zeros_like(system.state_cost)
    dynamics, control = system.dynamics, system.control
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(SWEEPS):
            cross = discount * control.T @ curvature @ dynamics
            precision = system.action_cost + discount * control.T @ curvature @ control
            saved = cross.T @ np.linalg.solve(precision, cross)
            kept = discount * dynamics.T @ curvature @ dynamics
            swept = system.state_cost + kept - saved
            swept = (swept + swept.T) / 2
            if not np.isfinite(swept).all():
                break
            change, curvature = np.abs(swept - curvature).max(), swept
            if change <= TOLERANCE * np.abs(swept).max():
                return np.asarray(curvature)
    raise ValueError(
        f"the Riccati iteration does not converge in {SWEEPS} sweeps: a part of the "
        "state that actions do not reach grows by a factor of 1/√γ "
        f"= {discount**-0.5:.4g} a step or more, or nearly so. Let `control` reach it, "
        "make it shrink in `dynamics`, or lower the discount"
    )


@dataclass(frozen=True, eq=False)
class LinearQuadraticOracle:
    """An `Oracle` of a linear-quadratic task, in its actions in [-1, 1]^d.

    The closed form has unbounded actions. It is taken for the task's where, from the
    start on, whole episodes of its own policy stay inside the box with probability at
    least 1 - 10⁻⁶. Entropies are those of actions in [-1, 1]^d: with a box of
    half-width b they are d log b nats below those of the actions that the system feels,
    and V* is α d log(b) / (1 - γ) below.
    """

    regulator: SoftRegulator
    temperature: float
    """α, in reward units per nat."""

    @classmethod
    def solve(
        cls,
        system: System,
        temperature: float,
        *,
        discount: float,
        horizon: int,
        bound: float,
    ) -> "LinearQuadraticOracle":
        """The closed form, if the box of actions is wide enough for it.

        Args:
            system: Its actions measured in half-widths of the box.
            temperature: α > 0, in reward units per nat.
            discount: γ in [0, 1), per environment step.
            horizon: Environment steps of an episode.
            bound: Half-width of the box, for messages only.

        Raises:
            ValueError: As for `solve`; or the box is too narrow.
        """
        regulator = solve(system, temperature, discount=discount)
        scales = action_scales(regulator, horizon=horizon)
        outside = probability_outside(scales, width=1.0)
        if outside > OUTSIDE:
            wide = bound * width_for(scales, OUTSIDE)
            rounded = math.ceil(wide * 100) / 100
            raise ValueError(
                f"at the temperature {temperature} an episode of the closed form may "
                f"leave the box with probability {outside:.2g}, more than {OUTSIDE}: "
                f"`bound` is {bound} and must be at least {rounded:.2f}"
            )
        return cls(regulator=regulator, temperature=temperature)

    def value(self, state: Float[ndarray, "n state"]) -> Float[ndarray, " n"]:
        """V*(s), in reward units."""
        return self.regulator.value(state)

    def q(
        self, state: Float[ndarray, "n state"], action: Float[ndarray, "n k action"]
    ) -> Float[ndarray, "n k"]:
        """Q*(s, a) of k actions at every state, in reward units."""
        repeated = np.repeat(state[:, None], action.shape[1], axis=1)
        return self.regulator.q(repeated, action)


def action_scales(
    regulator: SoftRegulator, *, horizon: int
) -> Float[ndarray, "step action"]:
    """Standard deviation of every coordinate of the action at every step.

    States and actions of the closed loop are Gaussian with mean 0, because the start
    is: the covariance of states goes from Σ to (A - BK) Σ (A - BK)' + B C B' + S, with
    C the policy's.
    """
    system, own = regulator.system, regulator.covariance
    states = len(system.dynamics)
    closed = system.dynamics - system.control @ regulator.gain
    added = system.control @ own @ system.control.T + system.noise**2 * np.eye(states)
    covariance = system.start**2 * np.eye(states)
    scales = []
    for _ in range(horizon):
        acted = regulator.gain @ covariance @ regulator.gain.T + own
        scales.append(np.sqrt(np.diag(acted)))
        covariance = closed @ covariance @ closed.T + added
    return np.stack(scales)


def probability_outside(
    scales: Float[ndarray, "step action"], *, width: float
) -> float:
    """At most how probable it is that some action leaves [-width, width]^d.

    The sum over steps and coordinates of P(|x| > width), each exact: an upper bound of
    the probability of their union.
    """
    return float(2 * norm.sf(width / scales).sum())


def width_for(scales: Float[ndarray, "step action"], probability: float) -> float:
    """The width at which `probability_outside` is a given one."""
    highest = 40 * float(scales.max())
    return float(
        brentq(
            lambda width: probability_outside(scales, width=width) - probability,
            0.0,
            highest,
        )
    )
