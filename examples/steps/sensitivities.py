"""13,002 sensitivities: how much the cost of one handwritten digit cares about each weight and bias, largest first.

    python examples/steps/sensitivities.py [--out DIR] [--digit N]

The network of 3Blue1Brown's films on deep learning: 784 pixels, two layers of 16, 10 outputs, sigmoids, and the sum of
squared differences as its cost. It has learned nothing yet. A gradient is read here as it is there: move this number by
a little, and the cost moves by so many times as much. The last column moves each number for real.
"""

import csv
import io
import itertools

import lesson
import numpy as np

import nn
import viz
from autograd import no_grad

SIZES = (784, 16, 16, 10)
NUDGE, SHOWN = 0.001, 10


def network() -> nn.Sequential:
    """W1, b1, ... W3, b3: 784*16 + 16 + 16*16 + 16 + 16*10 + 10 = 13,002 numbers."""
    rng = np.random.default_rng(3)
    layers = []
    for k, (n_in, n_out) in enumerate(itertools.pairwise(SIZES), 1):
        layer = nn.Affine(n_in, n_out, rng=rng)
        layer.W.name, layer.b.name = f"W{k}", f"b{k}"
        layers += [layer, nn.Sigmoid()]
    return nn.Sequential(*layers)


def cost_of(model, pixels, wanted):
    """The sum of squared differences."""
    cost = np.sum((model(pixels) - wanted) ** 2)
    return cost


def main() -> None:
    run = lesson.start(__doc__, digit=0)
    images, labels = lesson.digits()
    image, label = images[run.digit], labels[run.digit]
    pixels, wanted = image.reshape(784) / 255, np.eye(10)[label]
    print(lesson.drawn(image))
    model = network()
    parameters = model.parameters()
    print(f"{sum(p.size for p in parameters):,} weights and biases; this digit is a {label}")

    with viz.record() as tape:
        cost = cost_of(model, pixels, wanted)
        cost.backward()
    print(f"cost {cost.item():.6f}")

    rows = [(p, cell) for p in parameters for cell in np.ndindex(p.shape)]
    sensitivities = np.concatenate([p.grad.ravel() for p in parameters])
    order = np.argsort(-np.abs(sensitivities), kind="stable")

    lesson.heading(f"The {SHOWN} largest: moved by {NUDGE}, the cost moves by")
    for place in order[:SHOWN]:
        parameter, cell = rows[place]
        predicted = sensitivities[place] * NUDGE
        print(f"  {name(parameter, cell):12} {sensitivities[place]:+.6f}   predicted {predicted:+.8f}   ", end="")
        print(f"really {moved(model, parameter, cell, pixels, wanted) - cost.item():+.8f}")
    lesson.heading("Those that do not matter for this digit")
    blank = int(np.sum(pixels == 0))
    print(f"  {np.sum(sensitivities == 0):,} are 0: {blank} pixels are blank, and 16 weights hang on each")

    table = [(name(*rows[k]), repr(float(sensitivities[k]))) for k in order]
    run.write("sensitivities.csv", as_csv([("parameter", "sensitivity"), *table]))
    run.save(viz.draw(tape), "sensitivities.svg")
    run.save(viz.step(tape), "sensitivities.html")


def name(parameter, cell) -> str:
    return f"{parameter.name}[{', '.join(map(str, cell))}]"


def moved(model, parameter, cell, pixels, wanted) -> float:
    """The cost with one number moved."""
    before = parameter.data[cell]
    parameter.data[cell] += NUDGE
    with no_grad():
        cost = cost_of(model, pixels, wanted)
    parameter.data[cell] = before
    return float(cost.data)


def as_csv(rows) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


if __name__ == "__main__":
    main()
