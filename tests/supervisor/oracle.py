"""The real supervisor, asked about many configurations at once, without looking at this machine.

Run as a program (by the Python that has the supervisor in question): a line of JSON comes in,
{"files": {path: text}, "main": path}, and a line with what supervisor makes of it goes out. What supervisor would ask
this machine for (users, folders, modules, its host name, its environment) is answered here: everything exists, and
ENV_A, ENV_B and the host name stand for themselves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ENV = {"ENV_A": "%(ENV_A)s", "ENV_B": "%(ENV_B)s"}


class Oracle:
    """One supervisor, waiting for questions."""

    def __init__(self, python: str = sys.executable) -> None:
        """Start it with the Python that has it."""
        self._process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"},
        )

    def ask(self, files: dict[str, str], main: str = "etc/supervisord.conf", *, lexing: bool = False) -> dict[str, Any]:
        """What it makes of these files."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"files": files, "main": main, "lexing": lexing}), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let it go."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def debian_python() -> str | None:
    """The system's Python, if it has Debian's supervisor."""
    if not Path("/usr/bin/python3").exists():
        return None
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import supervisor.options"], capture_output=True, check=False, env={}
    )
    return "/usr/bin/python3" if done.returncode == 0 else None


def pythons() -> list[str]:
    """Each Python that has a supervisor: this one (4.3.0), and the system's (Debian's, 4.2.5)."""
    debian = debian_python()
    assert debian is not None, "Debian's package supervisor is not installed: run make test"
    return [sys.executable, debian]


def _patch() -> Any:
    from supervisor import datatypes, options

    def user(name: str) -> int:
        if not name or name[0] in "\"'":
            msg = f"Invalid user name {name}"
            raise ValueError(msg)
        return 0

    for module in (datatypes, options):
        module.name_to_uid = user
        module.gid_for_uid = lambda uid: 0
        module.existing_directory = lambda path: path
        module.existing_dirpath = lambda path: path
        module.colon_separated_user_group = lambda text: (user(text.split(":")[0]), 0)
    datatypes.name_to_gid = user
    options.platform.node = lambda: "%(host_node_name)s"
    options.ServerOptions.import_spec = lambda self, spec: object
    return options


def _plain(value: Any, datatypes: Any) -> Any:
    if value is datatypes.Automatic:
        return "AUTO"
    if value is datatypes.RestartUnconditionally:
        return "true"
    if value is datatypes.RestartWhenExitUnexpected:
        return "unexpected"
    return value


def _answer(question: dict[str, Any], options: Any) -> dict[str, Any]:
    from supervisor import datatypes

    with tempfile.TemporaryDirectory() as folder:
        for path, text in question["files"].items():
            where = Path(folder, path)
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(text.encode("utf-8", "surrogateescape"))
        server = options.ServerOptions()
        server.environ_expansions = dict(ENV)
        server.configfile = str(Path(folder, question["main"]))
        parser = options.UnhosedConfigParser()
        answer: dict[str, Any] = {"refused": None, "parsed": None, "programs": [], "groups": []}
        try:
            parser.read(server.configfile)
            answer["parsed"] = {name: dict(parser._sections[name]) for name in parser.sections()}
            answer["defaults"] = dict(parser.defaults())
        except ValueError as error:
            answer["parsed"] = None
            answer["refused"] = str(error)
        except options.ConfigParser.Error as error:
            answer["refused"] = str(error)
        if question.get("lexing"):
            return answer
        try:
            server.process_config(do_usage=False)
        except ValueError as error:
            answer["refused"] = str(error)
            return answer
        for group in server.process_group_configs:
            answer["groups"].append([group.name, group.priority])
            for process in group.process_configs:
                found = {
                    name: _plain(getattr(process, name), datatypes)
                    for name in process.req_param_names + process.optional_param_names
                }
                found["group"] = group.name
                answer["programs"].append(found)
        answer["servers"] = [
            [c["section"], c.get("file"), c.get("host"), c.get("port"), c.get("chmod"), c["username"]]
            for c in server.configroot.supervisord.server_configs
        ]
        text = json.dumps(answer)
        return dict(json.loads(text.replace(folder, "")))


def main() -> None:
    """Answer what comes in on stdin, a line each."""
    options = _patch()
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), options)), flush=True)


if __name__ == "__main__":
    main()
