"""tern: ternary language models, in Python, on the C ABI of tern alone.

    import tern

    model = tern.Model("model.gguf")
    session = model.session()
    for text in session.generate("Once upon a time", max_tokens=100):
        print(text, end="", flush=True)
    print(*session.generate(" Was it a dog? ", grammar=model.grammar('root ::= "yes" | "no"')))

One file, no dependency. The shared library is looked for where TERN_LIBRARY says, then beside this
file, then where the system looks. Calls let other Python threads run. A Model may be used by any
number of threads; a Session or Grammar by one at a time, but for cancel(). Logits and features are
memoryviews until the session moves on; numpy.frombuffer(session.logits, numpy.float32) copies none.
"""

import codecs
import ctypes
import ctypes.util
import json
import os
import sys

__all__ = ["Model", "Session", "Grammar", "Error", "version", "SYSTEM", "USER", "ASSISTANT"]

ABI_VERSION = 1
SYSTEM, USER, ASSISTANT = 0, 1, 2

_OK, _BUFFER_TOO_SMALL = 0, 12
_ADD_SPECIAL, _PARSE_SPECIAL, _CONTINUES, _GBNF, _JSON_SCHEMA = 1, 2, 2, 0, 1
_NO_POSITION = 0xFFFFFFFFFFFFFFFF

_u32, _u64, _i32, _f32 = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32, ctypes.c_float
_text, _size, _pointer = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p

# What is in tern.h, a letter a type.
_TYPES = {"p": _pointer, "t": _text, "s": _size, "i": _i32, "u": _u32, "l": _u64, "f": _f32}
# The functions by signature: the result (- for none, i for a status), then the arguments.
_SIGNATURES = {
    "t": "version_string last_error_message",
    "ti": "status_name",
    "l": "last_error_where",
    "tpp": "model_name model_architecture model_isa",
    "up": "model_context model_vocab_size model_embedding_size session_position session_capacity",
    "-p": "model_free session_free session_cancel grammar_free",
    "itspp": "model_load_file",
    "iptsupsp": "model_tokenize",
    "ippsupsp": "model_tokenize_chat model_detokenize",
    "ipi": "model_is_end_of_generation grammar_accept",
    "ipitsp": "grammar_create",
    "ippp": "session_create session_logits session_features session_sample grammar_mask",
    "ipp": "session_fork grammar_fork",
    "ipu": "session_truncate",
    "ip": "session_reset grammar_reset grammar_may_end grammar_is_finished",
    "ippsp": "session_save session_score",
    "ipps": "session_restore session_begin session_set_mask",
    "ippsps": "session_evaluate",
    "iplp": "session_step",
    "ipip": "session_log_prob",
    "ippspsps": "session_embed",
}


def _struct(types, names):
    """A struct of tern.h, its fields in order."""
    fields = list(zip(names.split(), map(_TYPES.get, types)))
    return type("Struct", (ctypes.Structure,), {"_fields_": fields, "__slots__": ()})


def _options(types, names):
    """A struct of options: a function that makes one, all of it default but what it is given."""
    kind = _struct("u" + types, "struct_size " + names)
    return lambda **values: kind(struct_size=ctypes.sizeof(kind), **values)


_LoadOptions = _options(
    "utsppuuuupppp",
    "flags isa isa_size allocator scheduler packing head i2s_layout reserved on_progress"
    " progress_user on_log log_user",
)
_SessionOptions = _options("uuuppuu", "context batch n_threads allocator scheduler kv flags")
_SamplerOptions = _options(
    "fufffltsps", "temperature top_k top_p min_p repeat_penalty seed mask mask_size biases n_biases"
)
_ChatMessage = _struct("tsi", "content content_size role")


class Error(Exception):
    """What a call of tern failed with: a status, its name, one line, and where."""

    def __init__(self, status):
        super().__init__(_entries["last_error_message"]().decode("utf-8", "replace"))
        self.status = status
        self.name = _entries["status_name"](status).decode("ascii")
        where = _entries["last_error_where"]()
        self.where = None if where == _NO_POSITION else where


def _open_library():
    """The functions of tern.h, by their names behind `tern_`."""
    files = {"win32": "tern-%d.dll" % ABI_VERSION, "darwin": "libtern.dylib"}
    name = files.get(sys.platform, "libtern.so")
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    path = os.environ.get("TERN_LIBRARY")
    path = path or (beside if os.path.exists(beside) else ctypes.util.find_library("tern") or name)
    library = ctypes.CDLL(path)
    if library.tern_abi_version() != ABI_VERSION:
        raise ImportError("%s has another ABI than this binding" % path)
    entries = {}
    for signature, names in _SIGNATURES.items():
        result, *arguments = map(_TYPES.get, signature)
        for name in names.split():
            entries[name] = getattr(library, "tern_" + name)
            entries[name].restype, entries[name].argtypes = result, arguments
    return entries


_entries = _open_library()


def _call(name, *arguments, but=_OK):
    """Calls a function of tern.h; a failure becomes an exception, `but` for one."""
    status = _entries[name](*arguments)
    if status not in (_OK, but):
        raise Error(status)
    return status


def _value(kind, name, *arguments):
    """What a function of tern.h gives through its last parameter."""
    out = kind()
    _call(name, *arguments, ctypes.byref(out))
    return out.value


def _fill(kind, capacity, name, *arguments):
    """What a function of tern.h puts into a buffer, called again if that was too small."""
    array, size = (kind * capacity)(), ctypes.c_size_t()
    given = (*arguments, array, capacity, ctypes.byref(size))
    if _call(name, *given, but=_BUFFER_TOO_SMALL) == _OK:
        return array[: size.value]
    return _fill(kind, size.value, name, *arguments)


def _ids(tokens):
    return (ctypes.c_int32 * len(tokens))(*tokens)


def _view(kind, name, owner):
    """The numbers that a function of tern.h points to; good until the owner moves on."""
    first, size = ctypes.POINTER(kind)(), ctypes.c_size_t()
    _call(name, owner._handle, ctypes.byref(first), ctypes.byref(size))
    numbers = ctypes.cast(first, ctypes.POINTER(kind * size.value)).contents
    numbers.owner = owner  # which the view needs for as long as it lives
    return memoryview(numbers).cast("B")


def _mask(given):
    """A number with a bit for every token that is allowed, of ids or such a number; -1 is all."""
    return given if isinstance(given, int) else sum(1 << token for token in set(given))


def version():
    """The version of the library, as "major.minor.patch"."""
    return _entries["version_string"]().decode("ascii")


class _Handle:
    """An object of tern.h, freed when nothing holds it any more."""

    _handle = None

    def _create(self, name, *arguments):
        self._handle = _value(_pointer, name, *arguments)

    def __del__(self):
        if self._handle:
            _entries[self._free](self._handle)


def _text_of(name):
    return property(lambda self: _entries[name](self._handle, None).decode("utf-8", "replace"))


def _number_of(name):
    return property(lambda self: _entries[name](self._handle))


class Model(_Handle):
    """A model from a GGUF or tern file, or a Hugging Face folder. Immutable; for any threads."""

    _free = "model_free"
    name = _text_of("model_name")
    architecture = _text_of("model_architecture")
    isa = _text_of("model_isa")
    context = _number_of("model_context")
    vocab_size = _number_of("model_vocab_size")
    embedding_size = _number_of("model_embedding_size")

    def __init__(self, path, isa="", copy=False):
        name = os.fsencode(path)
        isa = isa.encode("utf-8")
        options = _LoadOptions(flags=1 if copy else 0, isa=isa, isa_size=len(isa))
        self._create("model_load_file", name, len(name), ctypes.byref(options))

    def tokenize(self, text, special=True, parse_special=False):
        """Token ids of a text (str or bytes)."""
        data = text.encode("utf-8") if isinstance(text, str) else bytes(text)
        flags = (_ADD_SPECIAL if special else 0) | (_PARSE_SPECIAL if parse_special else 0)
        return _fill(_i32, len(data) + 8, "model_tokenize", self._handle, data, len(data), flags)

    def tokenize_chat(self, messages):
        """Token ids of a conversation: (role, text) pairs, role one of SYSTEM, USER, ASSISTANT."""
        texts = [(text.encode("utf-8"), role) for role, text in messages]
        given = (_ChatMessage * len(texts))(*((text, len(text), role) for text, role in texts))
        return _fill(_i32, 4096, "model_tokenize_chat", self._handle, given, len(given), 0)

    def detokenize(self, tokens, continues=False):
        """The bytes of tokens; of a text in progress, they may end inside a character."""
        given = (self._handle, _ids(tokens), len(tokens), _CONTINUES if continues else 0)
        return _fill(ctypes.c_char, 16 * len(tokens), "model_detokenize", *given)

    def ends_text(self, token):
        return bool(_entries["model_is_end_of_generation"](self._handle, token))

    def session(self, **options):
        """A new session; options: context, batch, n_threads, kv (0 f16, 1 to 3 int8, int4, int3)."""
        return Session(self, **options)

    def grammar(self, gbnf):
        """A Grammar from rules, such as: root ::= "yes" | "no"."""
        return Grammar(self, _GBNF, gbnf)

    def json_schema(self, schema):
        """A Grammar of JSON that is valid against a schema, its text or what json.loads gives."""
        return Grammar(self, _JSON_SCHEMA, schema)

    def embed(self, texts, **options):
        """The embeddings of texts, a list of floats each, of a model that gives them."""
        lists = [self.tokenize(text) for text in texts]
        tokens = _ids([token for one in lists for token in one])
        lengths = (ctypes.c_size_t * len(lists))(*map(len, lists))
        out = (_f32 * self.embedding_size * len(lists))()
        given = (tokens, len(tokens), lengths, len(lists), out, ctypes.sizeof(out) // 4)
        session = Session(self, **options)
        _call("session_embed", session._handle, *given)
        return [list(embedding) for embedding in out]


class Grammar(_Handle):
    """What a text has to be, and how far one is in it. One thread at a time."""

    _free = "grammar_free"
    may_end = property(lambda self: bool(_entries["grammar_may_end"](self._handle)))
    is_finished = property(lambda self: bool(_entries["grammar_is_finished"](self._handle)))

    def __init__(self, model, kind, text):
        data = (text if isinstance(text, str) else json.dumps(text)).encode("utf-8")
        self._create("grammar_create", model._handle, kind, data, len(data))

    def fork(self):
        other = Grammar.__new__(Grammar)
        other._create("grammar_fork", self._handle)
        return other

    def reset(self):
        _call("grammar_reset", self._handle)

    def accept(self, token):
        _call("grammar_accept", self._handle, token)

    def mask(self):
        """The tokens that may come next, a bit each: token 3 may if mask() >> 3 & 1."""
        return int.from_bytes(_view(_u64, "grammar_mask", self), "little")


class Session(_Handle):
    """One text in progress. One thread at a time, but for cancel()."""

    _free = "session_free"
    capacity = _number_of("session_capacity")
    logits = property(lambda self: _view(_f32, "session_logits", self).cast("f"))
    features = property(lambda self: _view(_f32, "session_features", self).cast("f"))
    _allowed = -1  # by set_mask()

    def __init__(self, model, **options):
        self.model = model
        given = _SessionOptions(**options)
        self._create("session_create", model._handle, ctypes.byref(given))

    def __len__(self):
        return _entries["session_position"](self._handle)

    def fork(self):
        other = Session.__new__(Session)
        other.model, other._allowed = self.model, self._allowed
        other._create("session_fork", self._handle)
        return other

    def truncate(self, position):
        _call("session_truncate", self._handle, position)

    def reset(self):
        _call("session_reset", self._handle)
        self._allowed = -1

    def cancel(self):
        _entries["session_cancel"](self._handle)

    def save(self):
        """The state as bytes, for restore() of a session of the same model."""
        return _fill(ctypes.c_char, 0, "session_save", self._handle)

    def restore(self, state):
        _call("session_restore", self._handle, state, len(state))

    def evaluate(self, tokens):
        _call("session_evaluate", self._handle, _ids(tokens), len(tokens), None, 0)

    def begin(self, tokens):
        _call("session_begin", self._handle, _ids(tokens), len(tokens))

    def step(self, seconds):
        """Works on what begin() was given for about this long; whether it is done."""
        return bool(_value(_i32, "session_step", self._handle, max(0, int(seconds * 1e6))))

    def log_prob(self, token):
        return _value(ctypes.c_double, "session_log_prob", self._handle, token)

    def score(self, tokens):
        """Evaluates tokens; the log of each one's probability after those before it."""
        out = (ctypes.c_double * len(tokens))()
        _call("session_score", self._handle, _ids(tokens), len(tokens), out)
        return list(out)

    def set_mask(self, mask=-1):
        """From here on logits are of these tokens alone: ids, or a Grammar's mask; -1: of all."""
        allowed = _mask(mask)
        _call("session_set_mask", self._handle, *self._words(allowed))
        self._allowed = allowed

    def _words(self, allowed):
        size = 0 if allowed == -1 else (self.model.vocab_size + 63) // 64
        return allowed.to_bytes(8 * size, "little") if size else None, size

    def sample(self, mask=-1, **sampler):
        """The next token; sampler: temperature, top_k, top_p, min_p, repeat_penalty, seed."""
        words, size = self._words(_mask(mask))
        options = _SamplerOptions(mask=words, mask_size=size, **sampler)
        return _value(_i32, "session_sample", self._handle, ctypes.byref(options))

    def generate(self, prompt="", max_tokens=128, stop=(), grammar=None, mask=-1, **sampler):
        """Yields the continuation of a prompt (text or token ids) in pieces of whole characters.

        Break out of the loop to stop early: the session then holds all tokens but the last one that
        was yielded. A text of `stop`, one or several, ends the continuation before it. The text is
        one of the grammar, which a prompt resets; without a prompt it goes on from where it is.
        """
        stop = [one for one in ([stop] if isinstance(stop, str) else stop) if one]
        if prompt:
            if grammar is not None:
                grammar.reset()
            tokens = self.model.tokenize(prompt) if isinstance(prompt, (str, bytes)) else prompt
            self.evaluate(tokens)
        given = self._allowed & _mask(mask)
        allowed = given if grammar is None else given & grammar.mask()
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        held = ""
        for _ in range(max_tokens):
            if grammar is not None and grammar.is_finished:
                break
            token = self.sample(mask=allowed, **sampler)
            if self.model.ends_text(token):
                break
            if grammar is not None:
                grammar.accept(token)
                allowed = given & grammar.mask()
            held += decoder.decode(self.model.detokenize([token], continues=True))
            found = min((at for at in map(held.find, stop) if at >= 0), default=-1)
            if found >= 0:
                if found:
                    yield held[:found]
                return
            # How much may be the beginning of a stop text.
            parts = (one[:n] for one in stop for n in range(1, len(one)))
            keep = max((len(part) for part in parts if held.endswith(part)), default=0)
            if len(held) > keep:
                yield held[: len(held) - keep]
            held = held[len(held) - keep :]
            if len(self) == self.capacity:
                break
            kept = self._allowed
            try:
                self.set_mask(allowed)  # the head is read only for what may follow
                self.evaluate([token])
            finally:
                self.set_mask(kept)
        held += decoder.decode(b"", final=True)
        if held:
            yield held
