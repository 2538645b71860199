"""classify, attributes and embedding: softmax, top-k, expectation, unit length."""
import numpy as np

from reference import Golden, sigmoid, softmax, stretch

TRANSFORM = stretch((100, 80), (32, 32))


def top(values, k, least):
    order = [i for i in sorted(range(len(values)), key=lambda i: (-values[i], i))[:k] if values[i] >= least]
    return dict(classifications=[[i, round(float(values[i]), 8)] for i in order])


def classify(rng):
    golden = Golden("classify")

    def case(name, out, **card):
        card = dict(dict(family="classify", logits=True, top_k=5, min_score=0.0), **card)
        rows = out.reshape(len(out), -1)
        expected = []
        for row in rows:
            if not np.all(np.isfinite(row)):
                expected.append(dict(classifications=[]))
                continue
            scores = softmax(row) if card["logits"] else row.astype(np.float64)
            expected.append(top(scores, card["top_k"], card["min_score"]))
        golden.add(name, card, TRANSFORM, [("logits", out)], expected)

    case("logits", rng.normal(0, 3, (1, 12)).astype(np.float32))
    case("logits_batch_of_two", rng.normal(0, 3, (2, 7, 1, 1)).astype(np.float32), top_k=7)
    case("large_logits", (rng.normal(0, 3, (1, 9)) * 400).astype(np.float32), top_k=1)
    e = np.exp(rng.normal(0, 1, (1, 10)))
    case("probabilities", (e / e.sum()).astype(np.float32), logits=False, top_k=3)
    case("more_wanted_than_there_are", rng.normal(0, 1, (1, 3)).astype(np.float32), top_k=5)
    case("ties", np.array([[1, 2, 2, 0, 2, 1]], np.float32), top_k=4)
    case("least_score", np.log(np.array([[0.3, 0.15, 0.5, 0.05]], np.float32)), min_score=0.2)
    bad = rng.normal(0, 1, (2, 6)).astype(np.float32)
    bad[0, 3] = np.nan
    case("what_is_not_finite", bad)
    golden.write()


def attributes(rng):
    golden = Golden("attributes")

    def attribute(values, card):
        values = values[card.get("offset", 0):]
        if card.get("count", 0):
            values = values[:card["count"]]
        if not np.all(np.isfinite(values)):
            return None
        values = values.astype(np.float64)
        out = dict(name=card["name"], value="", number=None, score=None)
        if card["kind"] == "regression":
            out["number"] = float(values[0]) * card.get("scale", 1) + card.get("bias", 0)
        elif card["kind"] == "sigmoid":
            p = float(sigmoid(values[0])) if card.get("logits") else float(values[0])
            yes = p >= 0.5
            if len(card["labels"]) == 2:
                out.update(value=card["labels"][int(yes)], score=p if yes else 1 - p)
            else:
                out.update(value=card["labels"][0] if yes else "", score=p)
        else:
            p = softmax(values) if card.get("logits") else values
            if card["kind"] == "softmax":
                best = int(np.argmax(p))
                out.update(value=card["labels"][best], score=float(p[best]))
            else:
                steps = np.array(card.get("values") or range(len(p)), np.float64)
                out["number"] = float(np.dot(p, steps)) * card.get("scale", 1) + card.get("bias", 0)
        return {k: round(v, 7) if isinstance(v, float) else v for k, v in out.items()}

    def case(name, outputs, cards):
        expected = []
        for b in range(len(outputs[0][1])):
            by_name = {n: a[b].reshape(-1) for n, a in outputs}
            found = [attribute(by_name[c["output"]], c) for c in cards]
            expected.append(dict(attributes=[a for a in found if a]))
        golden.add(name, dict(family="attributes", attributes=cards), TRANSFORM, outputs, expected)

    probabilities = np.array([[0.3, 0.7], [0.96, 0.04]], np.float32)
    case("age_and_gender_of_two", [("age", np.array([[31.5], [7.25]], np.float32)), ("gender", probabilities)],
         [dict(name="age", output="age", kind="regression"),
          dict(name="gender", output="gender", kind="softmax", labels=["male", "female"])])
    case("slices_of_one_output", [("fc1", np.array([[1.5, -0.5, 0.34]], np.float32))],
         [dict(name="gender", output="fc1", kind="softmax", logits=True, count=2, labels=["female", "male"]),
          dict(name="age", output="fc1", kind="regression", offset=2, count=1, scale=100.0, bias=0.5)])
    case("expectations", [("age", rng.normal(0, 2, (1, 30)).astype(np.float32)),
                          ("band", np.array([[0.1, 0.2, 0.7]], np.float32))],
         [dict(name="age", output="age", kind="expectation", logits=True),
          dict(name="height", output="band", kind="expectation", values=[150.0, 170.0, 190.0])])
    case("sigmoids", [("flags", np.array([[2.0, -1.0, 0.25, 0.75]], np.float32))],
         [dict(name="mask", output="flags", kind="sigmoid", logits=True, count=1, labels=["no", "yes"]),
          dict(name="helmet", output="flags", kind="sigmoid", logits=True, offset=1, count=1, labels=["no", "yes"]),
          dict(name="vest", output="flags", kind="sigmoid", offset=2, count=1, labels=["vest"]),
          dict(name="glove", output="flags", kind="sigmoid", offset=3, count=1, labels=["glove"])])
    case("what_is_not_finite", [("age", np.array([[np.nan]], np.float32)), ("gender", np.array([[0.2, 0.8]], np.float32))],
         [dict(name="age", output="age", kind="regression"),
          dict(name="gender", output="gender", kind="softmax", labels=["male", "female"])])
    golden.write()


def embedding(rng):
    golden = Golden("embedding")

    def case(name, out, **card):
        card = dict(dict(family="embedding", normalize=True), **card)
        expected = []
        for row in out.reshape(len(out), -1):
            values = row.astype(np.float64)
            length = np.sqrt((values ** 2).sum())
            if not np.all(np.isfinite(values)) or (card["normalize"] and length == 0):
                expected.append(dict(embedding=[]))
                continue
            expected.append(dict(embedding=[round(float(v), 8) for v in (values / length if card["normalize"] else values)]))
        golden.add(name, card, TRANSFORM, [("output", out)], expected)

    case("unit_length", rng.normal(0, 3, (1, 16)).astype(np.float32))
    case("as_it_is", rng.normal(0, 3, (1, 8)).astype(np.float32), normalize=False)
    out = rng.normal(0, 3, (4, 8, 1, 1)).astype(np.float32)
    out[1] = 0
    out[2, 3] = np.inf
    out[3] *= 1e30
    case("batch_with_zero_infinite_and_huge", out)
    golden.write()


if __name__ == "__main__":
    classify(np.random.default_rng(1))
    attributes(np.random.default_rng(2))
    embedding(np.random.default_rng(3))
