"""Small networks that run in the browser: their layers and numbers, and the same steps in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import nn

ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def network_layers(network: nn.Sequential) -> tuple[list[list], list[np.ndarray]]:
    """For each linear layer [outputs, inputs, activation after it], and weights and biases in turn."""
    from torch import nn

    shapes: list[list] = []
    arrays: list[np.ndarray] = []
    for layer in network:
        if isinstance(layer, nn.Linear):
            shapes.append([layer.out_features, layer.in_features, "identity"])
            arrays += [layer.weight.detach().numpy(), layer.bias.detach().numpy()]
        else:
            shapes[-1][2] = _activation_name(layer)
    return shapes, arrays


def _activation_name(layer: nn.Module) -> str:
    name = type(layer).__name__.lower()
    if name not in ACTIVATIONS:
        raise ValueError(
            f"the browser knows the activations {', '.join(ACTIVATIONS)}, but the network has {layer}."
        )
    return name


def run_layers(shapes: list[list], numbers: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x, (inputs,), through the layers whose weights lie one after the other in `numbers`."""
    at = 0
    for outputs, inputs, activation in shapes:
        weight = numbers[at : at + outputs * inputs].reshape(outputs, inputs)
        at += outputs * inputs
        x = ACTIVATIONS[activation](weight @ x + numbers[at : at + outputs])
        at += outputs
    return x


def n_numbers(shapes: list[list]) -> int:
    """How many weights and biases such layers have."""
    return sum(outputs * (inputs + 1) for outputs, inputs, _ in shapes)
