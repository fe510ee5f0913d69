# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What virtual machines say, and what is told of it."""


class Tap:
    """Numbers the test points."""

    def __init__(self):
        self.count = self.failed = 0

    def point(self, good, name, details=()):
        self.count += 1
        self.failed += not good
        if not good:
            for line in details:
                print(f"# {line[:200]}")
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}", flush=True)


def sections_of(results):
    """{name: (status, text)}"""
    sections, name, lines = {}, None, []
    for line in results.splitlines():
        if line.startswith("@begin "):
            name, lines = line[len("@begin "):], []
        elif name and line.startswith(f"@end {name} "):
            sections[name] = (int(line.split()[-1]), "\n".join(lines))
            name = None
        else:
            lines.append(line)
    return sections
