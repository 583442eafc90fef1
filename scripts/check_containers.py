"""Reads deploy/Containerfile and docker-compose.yml and says what is wrong with them.

    check_containers.py CONTEXT SCHEMA STEPS

CONTEXT is a fresh copy of the repository; the RUN steps are written to STEPS as `stage<TAB>sources<TAB>how<TAB>step`:
what the stage has copied of the context, and `make` or the reason why the step does not run outside of a container.
"""

import json
import re
import shlex
import sys
from pathlib import Path

import jsonschema
import yaml

CONTEXT, SCHEMA, STEPS = (Path(argument) for argument in sys.argv[1:4])
FAULTS = []
# Steps that make an image and not a program.
OF_IMAGES = {"apt-get": "installs into the image", "useradd": "makes the image's user", "install": "makes the image's directories",
             "rm": "tidies the image"}


def check(good, text):
    if not good:
        FAULTS.append(text)


def instructions(text):
    """(name, rest) of each instruction; comments and continued lines as the builder reads them."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.strip().partition(" ")
        yield name.upper(), rest.strip()


def containerfile(path):
    """Stages by name: each with its user, and what it says is checked on the way."""
    stages, stage, steps = {}, None, []
    for name, rest in instructions(path.read_text()):
        if name == "FROM":
            match = re.fullmatch(r"(\S+:\S+) AS (\S+)", rest)
            check(match, f"FROM {rest}: an image with a version, and a name for the stage")
            stage = match[2] if match else rest
            stages[stage] = {"user": "root", "sources": []}
        elif name == "COPY":
            copy(stages, stage, shlex.split(rest))
        elif name == "RUN":
            for step in rest.split("&&"):
                words = shlex.split(step)
                if words[0] == "make":
                    check(len(words) > 1, f"{stage}: make without a target")
                    steps.append((stage, " ".join(stages[stage]["sources"]), "make", " ".join(words[1:])))
                else:
                    check(words[0] in OF_IMAGES, f"{stage}: RUN {step.strip()}: neither the Makefile's nor known here")
                    steps.append((stage, ".", OF_IMAGES.get(words[0], "unknown"), step.strip()))
        elif name == "USER":
            stages[stage]["user"] = rest
        else:
            check(name in {"WORKDIR", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}, f"{name} is not known here")
            if name in {"ENTRYPOINT", "CMD"}:
                check(isinstance(json.loads(rest), list), f"{stage}: {name} must be a list, so that signals arrive")
    STEPS.write_text("".join("\t".join(step) + "\n" for step in steps))
    return stages


def copy(stages, stage, words):
    flags = [word for word in words if word.startswith("--")]
    *sources, _ = [word for word in words if not word.startswith("--")]
    of_stage = next((flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")), None)
    if of_stage is not None:
        check(of_stage in stages, f"{stage}: COPY --from={of_stage}: there is no such stage before")
        return
    for source in sources:
        stages[stage]["sources"].append(source)
        check((CONTEXT / source).exists(), f"{stage}: COPY {source}: not in the build context")
        if (CONTEXT / source).is_file() and source.endswith(".sh"):
            check((CONTEXT / source).stat().st_mode & 0o111, f"{source} is not executable")


def ignored(path):
    """What must not reach the builder."""
    lines = set(path.read_text().split())
    for name in [".git", "target", "ui/node_modules", "ui/dist", "data"]:
        check(name in lines, f".dockerignore does not leave out {name}")


def compose(path, stages):
    document = yaml.safe_load(path.read_text())
    schema = json.loads(SCHEMA.read_text())
    for error in jsonschema.Draft201909Validator(schema).iter_errors(document):
        place = ".".join(str(part) for part in error.absolute_path)
        FAULTS.append(f"{path.name}: {place}: {error.message}")
    volumes = document.get("volumes", {})
    for name, service in document["services"].items():
        where = f"{path.name}: {name}"
        target = service["build"]["target"]
        check(target in stages, f"{where}: no stage {target} in the Containerfile")
        user = service.get("user", stages.get(target, {}).get("user", "root"))
        check(user not in {"root", "0"}, f"{where} runs as root")
        check(not service.get("privileged") and "cap_add" not in service and "devices" not in service, f"{where} is privileged")
        check(service.get("cap_drop") == ["ALL"], f"{where} keeps capabilities")
        check("no-new-privileges:true" in service.get("security_opt", []), f"{where} may gain privileges")
        check(service.get("read_only") is True, f"{where} can write into its image")
        check("healthcheck" in service or target == "sample", f"{where} has no health check")
        for volume in service.get("volumes", []):
            source, _, rest = volume.partition(":")
            if source.startswith(("/", ".")):
                check(rest.endswith(":ro"), f"{where}: {source} can be written to")
                check("docker.sock" not in source, f"{where}: {source} is the keys to the host")
            else:
                check(source in volumes, f"{where}: the volume {source} is not declared")
        for other in service.get("depends_on", []):
            check(other in document["services"], f"{where} depends on {other}, which is not there")
    return document


def main():
    stages = containerfile(CONTEXT / "deploy/Containerfile")
    ignored(CONTEXT / ".dockerignore")
    services = compose(CONTEXT / "docker-compose.yml", stages)["services"]
    if FAULTS:
        sys.exit("\n".join(FAULTS))
    print(f"ok      Containerfile: {len(stages)} stages; docker-compose.yml: {', '.join(services)}")


main()
