"""The Python binding on the shared library: python_binding.py BINDING LIBRARY MODEL."""

import os
import sys
import threading

binding, library, path = sys.argv[1:]
os.environ["TERN_LIBRARY"] = library
sys.path.insert(0, binding)
import tern  # noqa: E402


def check(condition, what):
    if not condition:
        sys.exit("failed: " + what)


def refused(name, call):
    try:
        call()
    except tern.Error as error:
        check(error.name == name, "%s instead of %s" % (error.name, name))
        return error
    sys.exit("failed: no %s" % name)


model = tern.Model(path)
check(tern.version() == "0.1.0", "version")
check(model.vocab_size > 0 and model.architecture.startswith("bitnet"), "properties")

# Load, stream a story, stop early.
prompt = "Once upon a time"
session = model.session()
story = "".join(session.generate(prompt, max_tokens=40))
check(len(story) > 20, "a story")
again = model.session(n_threads=2, batch=3)
check("".join(again.generate(prompt, max_tokens=40)) == story, "the same story")
pieces = []
for text in model.session().generate(prompt, max_tokens=40):
    pieces.append(text)
    if len(pieces) == 3:
        break
check(story.startswith("".join(pieces)), "its beginning")
stop = story[10:16]
short = "".join(model.session().generate(prompt, max_tokens=40, stop=["\x01", stop]))
check(short == story[: story.index(stop)], "a stop text")
seeded = [
    "".join(model.session().generate(prompt, max_tokens=20, temperature=1.0, seed=5))
    for _ in range(2)
]
check(seeded[0] == seeded[1], "a seeded story")

# Text there and back.
for text in ["Hello, world", "\u00e9\U0001f600\n\t", ""]:
    ids = model.tokenize(text, special=False)
    check(model.detokenize(ids).decode("utf-8") == text, "round trip of %r" % text)

# Steps, forks, saved sessions and logits.
ids = model.tokenize(prompt)
plain = model.session()
plain.evaluate(ids)
expected = bytes(plain.logits)
stepped = model.session()
stepped.begin(ids)
while not stepped.step(0.0005):
    refused("busy", lambda: stepped.evaluate(ids))
check(bytes(stepped.logits) == expected, "stepped logits")
check(bytes(plain.fork().logits) == expected, "a fork")
restored = model.session()
restored.restore(plain.save())
check(bytes(restored.logits) == expected and len(restored) == len(ids), "a restored session")
check(plain.log_prob(plain.sample()) < 0, "a log probability")

# Errors are exceptions with a status and a place.
refused("not_found", lambda: tern.Model("no such file"))
refused("isa_unknown", lambda: tern.Model(path, isa="none"))
check(refused("token_out_of_range", lambda: plain.evaluate([1, 1 << 30])).where == 1, "where")
refused("unsupported", lambda: model.embed(["text"]))
refused("malformed", lambda: plain.restore(b"x" * 100))

# Sessions of one model on several threads.
stories = [None] * 4


def tell(i):
    stories[i] = "".join(model.session().generate(prompt, max_tokens=40))


threads = [threading.Thread(target=tell, args=(i,)) for i in range(len(stories))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check(stories == [story] * 4, "stories of threads")
print("ok")
