"""The Python binding on the shared library: python_binding.py BINDING LIBRARY MODEL."""

import json
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

# Grammars: of rules and of schemas, greedy and drawn, from the beginning with every prompt.
def told(grammar, **options):
    return "".join(model.session().generate(prompt, grammar=grammar, **options))


ways = [{}, {"temperature": 0.8, "seed": 3}, {"temperature": 5.0, "seed": 4}]
answer = model.grammar('root ::= "yes" | "no"')
check({told(answer, **way) for way in ways} <= {"yes", "no"}, "an answer")
check(answer.may_end and answer.is_finished, "the end of a grammar")
asked = model.session()
asked.evaluate(ids)
check("".join(asked.generate(grammar=answer)) == "", "nothing behind the end")
answer.reset()
check("".join(asked.generate(grammar=answer)) in ("yes", "no"), "an answer behind tokens")
check(told(model.grammar("root ::= .*"), max_tokens=40) == story, "a story of a grammar")
schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 3, "maximum": 99},
        "mood": {"enum": ["happy", "sad"]},
    },
    "required": ["name", "age", "mood"],
    "additionalProperties": False,
}
for way in ways:
    for given in (schema, json.dumps(schema)):
        person = json.loads(told(model.json_schema(given), max_tokens=400, **way))
        check(list(person) == ["name", "age", "mood"], "members")
        check(3 <= person["age"] <= 99 and person["mood"] in ("happy", "sad"), "values")

# The same by hand, with masks; a fork goes its own way.
by_hand, rules = model.session(), model.grammar("root ::= [a-d ]{20} [0-9]")
expected_text = "".join(model.session().generate(prompt, grammar=rules, temperature=1.0, seed=2))
rules.reset()
by_hand.evaluate(ids)
tokens = []
while not rules.is_finished:
    tokens.append(by_hand.sample(mask=rules.mask(), temperature=1.0, seed=2))
    check(rules.mask() >> tokens[-1] & 1, "an allowed token")
    before = rules.fork()
    rules.accept(tokens[-1])
    check(not before.is_finished, "a fork stays where it was")
    by_hand.set_mask(rules.mask())
    by_hand.evaluate(tokens[-1:])
check(model.detokenize(tokens, continues=True).decode("utf-8") == expected_text, "by hand")

# A session's own mask is kept by what narrows it, and goes with a reset.
letters = [t for t in range(300) if model.detokenize([t], continues=True) in (b"a", b"b")]
check(len(letters) == 2, "tokens of letters")
masked = model.session()
masked.set_mask(letters)
text = "".join(masked.generate(prompt, max_tokens=8, grammar=model.grammar("root ::= [b-d]*")))
check(text == "b" * len(text), "a grammar within a mask")
masked.truncate(len(ids) - 1)
masked.evaluate(ids[-1:])
refused("invalid_argument", lambda: masked.log_prob(letters[0]))
check(masked.fork().sample(temperature=9.0) in letters, "the mask of a fork")
check(sum(logit > -1e30 for logit in masked.logits) == 2, "logits of a mask")
masked.reset()
masked.evaluate(ids)
check(bytes(masked.logits) == expected, "logits without a mask")
masked.set_mask(iter(letters))
masked.set_mask()
check(masked.log_prob(letters[0]) < 0, "all tokens again")
check(masked.sample(mask=letters[:1]) == letters[0], "the mask of a call")

# Scores are the log probabilities of evaluating one by one; features are where logits are.
scores = model.session().score(ids)
check(scores[0] != scores[0], "nothing is known of the first token")
single = model.session()
single.evaluate(ids[:1])
check(bytes(single.features) != bytes(plain.features), "features")
for token, score in zip(ids[1:], scores[1:]):
    check(single.log_prob(token) == score, "a score")
    single.evaluate([token])
check(bytes(single.features) == bytes(plain.features), "the same features")
refused("invalid_argument", lambda: restored.features)
refused("invalid_argument", lambda: model.session().features)

# What a grammar is refused for, and where.
check(refused("malformed", lambda: model.grammar('root ::= "yes')).where == 13, "where")
check("pattern" in str(refused("unsupported", lambda: model.json_schema({"pattern": "a"}))), "what")
refused("malformed", lambda: model.json_schema('{"type":'))
answer.reset()
refused("invalid_argument", lambda: answer.accept(letters[0]))

# What is in use outlives what it came from.
other = tern.Model(path)
outlives, view = other.grammar('root ::= "a" | "b"'), plain.fork().features
other_session = other.session()
del other
check(outlives.mask() == outlives.fork().mask() and outlives.mask() != 0, "a grammar alone")
check(bytes(view) == bytes(plain.features), "features alone")
check("".join(other_session.generate(prompt, grammar=outlives)) in ("a", "b"), "a session alone")

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
