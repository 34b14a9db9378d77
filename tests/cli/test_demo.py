import json
from pathlib import Path


def test_the_demo_leaves_an_artifact_and_a_prompt_that_run(command):
    done = command("demo")
    assert done.code == 0, done.err
    assert "Equal to the specification" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    prompt = Path("construct-demo-prompt.txt").read_text()
    assert len(prompt.splitlines()) > 20
    said = json.loads(command("run", "construct-demo", "construct-demo-prompt.txt", "--json").out)
    assert len(said["weights"]) >= 4
    assert sum(said["weights"].values()) == 1
    assert said["unexplained"]
    assert said["ambiguous"]
    # What the terminal showed is what the artifact says.
    assert all(word in done.out for word in said["distribution"])


def test_a_country_that_is_no_token_is_said_and_writes_nothing(command):
    done = command("demo", "--query", "Narnia")
    assert done.code == 2
    assert "'Narnia' is not in this vocabulary" in done.err
    assert not list(Path().iterdir())
