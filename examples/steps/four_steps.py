"""The four steps of learning: take a mini-batch, compute the gradient, update the parameters, repeat.

    python examples/steps/four_steps.py [--out DIR]

The two-layer network of the seed document reads handwritten digits. The loop runs in a `viz.record()` block, so each
round leaves a trace that ends with the updates; the player shows the first of them.
"""

import lesson
import numpy as np

import nn
import viz

BATCH, ROUNDS, LEARNING_RATE = 50, 40, 0.2


def main() -> None:
    run = lesson.start(__doc__)
    images, labels = lesson.digits()
    rows = images.reshape(len(images), 784) / 255
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Affine(784, 16, rng=rng), nn.ReLU(), nn.Affine(16, 10, rng=rng))
    for parameter, name in zip(model.parameters(), ["W1", "b1", "W2", "b2"], strict=True):
        parameter.name = name
    head, optimizer = nn.SoftmaxWithLoss(), nn.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    losses = []

    for round_number in range(1, ROUNDS + 1):
        with viz.record() as tape:
            # 1. mini-batch: a few examples, drawn at random
            batch = rng.choice(len(rows), BATCH, replace=False)
            # 2. gradient: forward through the network, backward through the same graph
            loss = head(model(rows[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            # 3. update: every parameter one small step downhill
            optimizer.step()
        # 4. repeat
        losses.append(loss.item())
        if round_number == 1:
            first = tape.traces[-1]
        if round_number in (1, 2, 3, 10, 20, ROUNDS):
            print(f"  round {round_number:2}: loss {losses[-1]:.4f}")

    lesson.heading("What the first round did")
    for update in first.updates:
        largest = float(np.max(np.abs(update.after - update.before)))
        print(f"  {first.graph.vertices[update.vertex].name}: moved by {largest:.4f} at most")
    lesson.heading("And after all of them")
    right = np.mean(model(rows).data.argmax(axis=1) == labels)
    print(f"  mean loss of the first 5 rounds {np.mean(losses[:5]):.4f}, of the last 5 {np.mean(losses[-5:]):.4f}")
    print(f"  {100 * right:.1f} % of the {len(rows):,} digits are read correctly")
    run.save(viz.draw(first), "four_steps.svg")
    run.save(viz.step(first), "four_steps.html")


if __name__ == "__main__":
    main()
