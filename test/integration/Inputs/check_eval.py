"""Do the JSON of eval and predict fit each other, the labels of the data, and training's last words?

    check_eval.py EVAL.json PREDICT.jsonl DATA-FOLDER TRAIN-OUTPUT
"""
import json
import os
import re
import sys

evaluation_path, prediction_path, folder, output_path = sys.argv[1:]
with open(evaluation_path, encoding="utf-8") as file:
    evaluation = json.load(file)
with open(prediction_path, encoding="utf-8") as file:
    predictions = [json.loads(line) for line in file]
with open(os.path.join(folder, "t10k-labels-idx1-ubyte"), "rb") as file:
    labels = list(file.read()[8:])
with open(output_path, encoding="utf-8") as file:
    test_line = re.search(r"^test: .*loss ([\d.]+), accuracy ([\d.]+)%", file.read(), re.M)

confusion, classes = evaluation["confusion"], evaluation["classes"]
assert evaluation["images"] == len(labels) == sum(map(sum, confusion))
assert [sum(row) for row in confusion] == [labels.count(k) for k in range(10)]
hits = sum(confusion[k][k] for k in range(10))
assert abs(evaluation["accuracy"] - hits / len(labels)) < 1e-9
assert 0.5 < evaluation["accuracy"] < 1, "it learns"
for k, score in enumerate(classes):
    assert score["images"] == sum(confusion[k])
    assert abs(score["recall"] - confusion[k][k] / sum(confusion[k])) < 1e-9
assert abs(float(test_line[1]) - evaluation["loss"]) < 1e-4, (test_line[1], evaluation["loss"])
assert abs(float(test_line[2]) / 100 - evaluation["accuracy"]) < 1e-4

names = [score["name"] for score in classes]
assert names[0] == "T-shirt/top" and len(set(names)) == 10, names
right = 0
for index, prediction in enumerate(predictions):
    probabilities = prediction["probabilities"]
    assert list(probabilities) == names and abs(sum(probabilities.values()) - 1) < 1e-5, prediction
    assert prediction["class"] == max(probabilities, key=probabilities.get), prediction
    assert prediction["probability"] == probabilities[prediction["class"]], prediction
    assert prediction["label"] == names[labels[index]], prediction
    assert prediction["preprocessing"] == ["pixels / 255"], prediction
    right += prediction["class"] == names[labels[index]]
assert len(predictions) == 10 and right >= 4, right
print("eval and predict agree with the labels")
