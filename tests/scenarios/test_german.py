#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where the reader reads German, no English is left: what is printed, and what could be."""
import base64
import glob
import gzip
import json
import os
import re
import subprocess

from expectations import expect, expect_equal
from harness import BUILD, main, scenario
from pages import browse

MAY_RUN_BESIDE_OTHERS = True

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRACES = sorted(glob.glob(os.path.join(ROOT, "tests", "gallery", "traces", "*.ndjson")))
TABLES = ["viz/format/german.def", "viz/format/german_picture.def", "viz/format/german_page.def",
          "viz/format/german_top.def"]
VIEW = os.path.join(BUILD, "ipclens-view")
LITERAL = r'"(?:[^"\\\n]|\\.)*"'
PART = rf"(?:{LITERAL}|PRI[ud]\d+)"

# Files of whose literals each is a text or a name.
SPEAKING = ["viz/account/classify.c", "viz/report/table.c", "viz/render/text/legend.def",
            "viz/render/common/steps.c",
            *(f"viz/top/{part}.c"
              for part in ("text", "screen", "screen_help", "screen_pair", "screen_table")),
            *(f"viz/report/stats_{part}.c"
              for part in ("text", "totals", "pairs", "latency", "kinds", "facts"))]
SPEAKING += [os.path.relpath(path, ROOT)
             for folder in ("viz/scene", "viz/scene/*", "viz/render/text")
             for path in sorted(glob.glob(os.path.join(ROOT, folder, "*.c")))]
# Files whose other literals are markup: what is said there stands in a call.
MARKING = ["viz/render/dot.c", "viz/render/mermaid.c", "viz/render/plantuml.c",
           "viz/render/trace_event.c", "viz/render/html/html.c", "viz/report/live_lines.c",
           "viz/model/hosts.c", "viz/model/read.c", "viz/cli/picture.c",
           "user/cli/top_live.c", "viz/top/pairs.c",
           *(f"viz/render/svg/{part}.c" for part in ("svg", "row", "layout"))]
# Tables of words that something else looks up, which has a row for some.
LISTS = ["viz/format/words.def", "viz/format/mechanisms.def"]
PAGE = "viz/render/html/page"
# Literals beside these are compared with, or looked for: they are names.
COMPARED = re.compile(r"(?:operation_is|has_error)\(op, $|strn?cmp\([^\"]*$|sscanf\([^\"]*$|"
                      r"viz_bytes_(?:equal|of)\((?:[^\"()]|->)*$")
# Names are the same in each language: of calls, errors, units, options, formats.
NAMES = {"accept", "clock", "close", "close-on-exec", "connect", "dev", "EOF", "eventfd", "exec",
         "Enter", "Esc", "exit", "fd", "fork", "ipclens", "KiB", "MiB", "ms", "nanosleep", "ns", "On", "pause", "pipe", "rt", "s",
         "sigsuspend", "sigtimedwait", "tmp", "top", "u", "µs"}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def joined(text):
    """The text of literals side by side, with PRIu64 and the like as letters."""
    text = re.sub(r"PRI([ud])\d+", r'"\1"', text)
    return "".join(part[1:-1] for part in re.findall(LITERAL, text))


def table():
    rows = re.findall(rf"^GERMAN\((.*), ({LITERAL}(?: PRI\w+ {LITERAL}| PRI\w+)*)\)$",
                      "\n".join(read(path) for path in TABLES), re.M)
    return {joined(english): joined(german) for english, german in rows}


def is_text(text):
    words = re.findall(r"[^\W\d_]+(?:-[a-z]+)*", re.sub(r"%[-.*\d]*(?:z|l)*[a-z]", "", text))
    return any(word not in NAMES and not re.fullmatch("[A-Z]+|.", word) for word in words)


def literals(path):
    """The texts in a file of C, each with the code before it."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*|^#[^\n]*|^enum [^;]*;|^_Static_assert[^;]*;|'.'|'\\.'", "",
                  read(path), flags=re.S | re.M)
    for found in re.finditer(rf"{PART}(?:\s*{PART})*", code):
        yield joined(found[0]), code[max(0, found.start() - 80):found.start()]


def said(path):
    return {text for text, before in literals(path)
            if is_text(text) and not COMPARED.search(before)}


def in_calls(code, name, every):
    """The literals in calls of a function: in its first argument that has any, or in `every`."""
    for call in re.finditer(rf"\b{name}\(", code):
        depth, at = 1, call.end()
        while depth and at < len(code):
            string = re.compile(LITERAL + r"|'(?:\\.|[^'])'").match(code, at)
            depth += {"(": 1, ")": -1}.get(code[at], 0)
            if code[at] == "," and depth == 1 and not every and '"' in code[call.end():at]:
                break
            at = string.end() if string else at + 1
        for found in re.finditer(rf"{PART}(?:\s*{PART})*", code[call.end():at]):
            yield joined(found[0])


def marked():
    texts = {text for path in MARKING for name in ("scene_say", "language_say", "warn")
             for text in in_calls(read(path), name, False)}
    return {text for text in texts if is_text(text)}


def script():
    for path in sorted(glob.glob(os.path.join(ROOT, PAGE, "*.js"))):
        yield re.sub(r"/\*.*?\*/|^\s*//.*?$|^import .*?$", "", read(path), flags=re.S | re.M)


def paged():
    """What the page's script and markup say."""
    texts = {text for code in script() for text in in_calls(code, "say", False)
             if re.search("[a-z]{2}", text)}
    body = read(f"{PAGE}/body.html")
    texts |= set(re.findall(r'(?:title|placeholder|aria-label)="([^"]*)"', body))
    texts |= {text.strip() for text in re.findall(r">([^<]*)<", body)}
    return {text for text in texts if re.search("[a-z]{2}", text)} - NAMES - {"sysv-msg"}


@scenario("each text of statistics, pictures and page has its German row, and no row is left over")
def rows(_directory):
    german = table()
    english = set().union(*(said(path) for path in SPEAKING)) | marked() | paged()
    expect(len(german) > 550, "the tables were read", len(german))
    expect_equal(english - set(german), set(), "texts without a row")
    known = english.union(*({text for text, _ in literals(path)}
                            for path in [*LISTS, *MARKING, *SPEAKING]))
    known |= {text[1:-1] for code in script() for text in re.findall(LITERAL, code)}
    known |= {text + "s" for text in known}  # counted(): one or more
    expect_equal(set(german) - known, set(), "rows without a text")


@scenario("in the page's script no sentence stands outside say(), but for tables that have rows")
def sentences(_directory):
    german = table()
    events = re.compile(r"^(?:(?:select|filter|search|calls|axis|view|theme|payload|moved) ?)+$")
    markup = re.compile(r"sans|monospace|\[data-|^play-|, button")
    odd = {"the file is cut off"}  # for who makes a page by hand
    for code in script():
        code = re.sub(r"\bwords\([^)]*\)", "", code)  # names of columns
        for text in re.findall(LITERAL, code):
            text = text[1:-1]
            if re.search(r"[a-z]{2,} [a-z]{2,}", text) and not markup.search(text):
                expect(text in german or text in odd or events.match(text) or is_class(code, text),
                       "a sentence without a row", text)


def is_class(code, text):
    return re.search(r'(?:class:|className =)[^,;]*' + re.escape(f'"{text}"'), code)


# --- what is printed ---


def words(text):
    return set(re.findall(r"\b[a-z]{4,}\b", text))


# Words of German texts too, or names that no trace has: of mechanisms, options, formats.
SHARED = {"ipclens", "stats", "format", "explain", "name", "shared", "signal", "focus", "width",
          "diagnose", "unfold", "exit", "was", "backspace", "home", "page", "unix"}
# Words by which English would be told even if no table had them.
STOP = {"the", "and", "was", "were", "has", "not", "nobody", "waits", "sent", "received", "unread",
        "latency", "asleep", "blocked", "from", "with", "while", "which", "there", "its"}


def english_words():
    german = table()
    printed = " ".join(re.sub(r"%[-.*\d]*[a-z]+", " ", text) for text in german.values())
    return (words(" ".join(german)) | STOP) - words(printed.lower()) - SHARED


def named(trace):
    """All words that the traced programs chose: names, arguments, payloads, paths."""
    found = set()

    def collect(value, key=""):
        if isinstance(value, dict):
            for name, inner in value.items():
                collect(inner, name)
        elif isinstance(value, list):
            for inner in value:
                collect(inner, key)
        elif isinstance(value, str) and key not in ("type", "event", "role", "state", "access"):
            if key == "base64":
                value = base64.b64decode(value).decode(errors="replace")
            found.update(re.findall(r"[a-z]+", value.lower()))

    with open(trace, encoding="utf-8") as lines:
        for line in lines:
            collect(json.loads(line))
    return found


def run(*arguments):
    return subprocess.run([VIEW, *arguments], check=True, capture_output=True, text=True).stdout


def plain(text):
    """Without what is quoted, and without names of processes, channels and findings."""
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"?…?', "", text)
    return re.sub(r"\S+\[[^]]*\](?: \S+)?|unix-\w+|process-vm|posix-\w+|sysv-\w+|shared-\w+|"
                  r"file-lock|\S+/\S+|--\w+|\w+…", "", text)


def check(text, trace, english, what):
    left = set(re.findall(r"\b[a-z]+\b", plain(text))) & english
    expect_equal(left - named(trace) - finding_names(), set(), f"English in {what} of {trace}")
    expect(not re.search(r"\d\.\d+ [nµm]?s\b", plain(text)), "decimal commas", what, trace)


def finding_names():
    return set(re.findall(r"[a-z]+", " ".join(
        re.findall(r'^FINDING\(\w+, "([^"]*)"', read("viz/diagnose/core/findings.def"), re.M))))


@scenario("stats --lang de of every lab: German words, decimal commas, no English word")
def printed(_directory):
    english = english_words()
    for trace in TRACES:
        head, _, rest = run("stats", "--lang", "de", "--explain", "--max", "0", "--width", "400",
                            trace).partition("\n")
        expect(re.search("Nachricht|Stück", head), trace, head)
        check(rest, trace, english, "stats")


VIEWS = [("text", "--width", "400"), ("text", "--width", "400", "--kernel"),
         ("text", "--width", "400", "--lanes", "channels"), ("text", "--width", "59"),
         ("text", "--width", "140", "--group"), ("text", "--width", "80", "--ascii"),
         ("text", "--width", "400", "--max", "9"), ("svg",), ("mermaid",), ("plantuml",), ("dot",)]
# What a format is written in.
LANGUAGE = re.compile(
    r"<style>.*?</style>|<[^>]*>|&\w+;|#\d+;|<U\+[0-9A-F]+>|"
    r"^\s*(?:sequenceDiagram|title|note over|Note over|(?:create )?participant|queue|loop|end|"
    r"create|destroy|digraph|node|edge|rankdir|fontname|label\w*)\b|@\w+|"
    r"\b(?:label|color|penwidth|style|shape)=", re.S | re.M)


@scenario("view --lang de of every lab, in every format: no English word, decimal commas")
def drawn(_directory):
    english = english_words()
    for trace in TRACES:
        for form, *options in VIEWS:
            text = run("view", "--as", form, "--lang", "de", *options, trace)
            if form == "dot":
                text = text.replace('"', " ").replace("\\n", "\n")
            check(LANGUAGE.sub(" ", text), trace, english, " ".join([form, *options]))


@scenario("at each width German pictures are whole: no line is longer, no letter is halved")
def fitting(_directory):
    for trace in TRACES:
        for width in (59, 60, 80, 100, 140):
            for line in run("view", "--lang", "de", "--width", str(width), trace).splitlines():
                expect(len(line) <= width and "\ufffd" not in line, trace, width, line)


@scenario("trace events in German: keys as in English, what people read in German")
def events(_directory):
    def shape(value):
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else type(value)

    english = english_words()
    for trace in TRACES:
        en, de = (json.loads(run("view", "--as", "trace-event", "--lang", language, trace))
                  for language in ("en", "de"))
        expect_equal(shape(de), shape(en), "the same keys")
        for at, note in de["otherData"].items():
            if at.startswith("note"):
                check(note, trace, english, "notes")


def section(page, name):
    """The object before the columns of a section of the page's data."""
    packed = "".join(re.findall(rf'data-section="{name}"[^>]*>([^<]*)<', page))
    unpacked = gzip.decompress(base64.b64decode(packed))
    return json.loads(unpacked[4:4 + int.from_bytes(unpacked[:4], "little")])


@scenario("the page's data in German: rows, notes, findings; an English page has no dictionary")
def data(directory):
    english = english_words()
    for trace in TRACES:
        path = os.path.join(directory, "page.html")
        run("view", "--lang", "de", "-o", path, trace)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        core = section(page, "core")
        expect('<html lang="de">' in page and len(core["words"]) > 300, "German", trace)
        for row in core["said"]:
            check(f"{row[3]} {row[4]}", trace, english, "rows")
        for text in [*core["notes"], *core["fates"], *(m[1] for m in core["mechanisms"])]:
            check(text, trace, english, "texts")
    run("view", "--lang", "en", "-o", path, TRACES[0])
    with open(path, encoding="utf-8") as file:
        page = file.read()
    expect('<html lang="en">' in page and section(page, "core")["words"] is None, "English")


@scenario("the page in a browser: panels, details, keys and play say nothing in English")
def browsed(directory):
    english = english_words() - finding_names()
    for trace in TRACES:
        lab = os.path.basename(trace).split(".")[0]
        if lab not in ("deadlock", "posixq", "sigmeets"):
            continue
        page = os.path.join(directory, f"{lab}.html")
        run("view", "--lang", "de", "-o", page, trace)
        browse(page, "german", english=sorted(english - named(trace)))


# --- which language ---


@scenario("the language is the environment's; JSON is the same in each")
def environment(_directory):
    trace = TRACES[0]

    def told(command, *options, **variables):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
        return subprocess.run([VIEW, command, *options, trace], check=True, capture_output=True,
                              env={**clean, **variables}).stdout

    for command in ("stats", "view"):
        expect_equal(told(command, LANG="de_AT.UTF-8"),
                     told(command, "--lang", "de", LC_ALL="C.UTF-8"), "by LANG")
        expect_equal(told(command, LC_ALL="en_GB.UTF-8", LANG="de_DE.UTF-8"),
                     told(command, LC_ALL="C.UTF-8"), "LC_ALL")
        expect_equal(told(command, "--lang", "en", LC_ALL="de_DE.UTF-8"),
                     told(command, LC_ALL="C.UTF-8"), "--lang en")
    expect_equal(told("stats", "--json", LANG="de_DE.UTF-8"),
                 told("stats", "--json", LC_ALL="C.UTF-8"), "as data")
    expect_equal(told("messages", LANG="de_DE.UTF-8"), told("messages", LC_ALL="C.UTF-8"),
                 "as data")


if __name__ == "__main__":
    main()
