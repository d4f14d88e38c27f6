"""tern: ternary language models, in Python, on the C ABI of tern alone.

    import tern

    model = tern.Model("model.gguf")
    session = model.session()
    for text in session.generate("Once upon a time", max_tokens=100):
        print(text, end="", flush=True)

One file, no dependency. The shared library is looked for where TERN_LIBRARY says, then beside this
file, then where the system looks. Calls let other Python threads run. A Model may be used by any
number of threads; a Session by one at a time, but for cancel(). Logits are a memoryview of floats:
numpy.frombuffer(session.logits, numpy.float32) makes an array of it without a copy.
"""

import codecs
import ctypes
import ctypes.util
import os
import sys

__all__ = ["Model", "Session", "Error", "version", "SYSTEM", "USER", "ASSISTANT"]

ABI_VERSION = 1
SYSTEM, USER, ASSISTANT = 0, 1, 2

_OK, _BUFFER_TOO_SMALL = 0, 12
_ADD_SPECIAL, _PARSE_SPECIAL, _CONTINUES = 1, 2, 2
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
    "-p": "model_free session_free session_cancel",
    "itspp": "model_load_file",
    "iptsupsp": "model_tokenize",
    "ippsupsp": "model_tokenize_chat model_detokenize",
    "ipi": "model_is_end_of_generation",
    "ippp": "session_create session_logits session_sample",
    "ipp": "session_fork",
    "ipu": "session_truncate",
    "ip": "session_reset",
    "ippsp": "session_save",
    "ipps": "session_restore session_begin",
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
    chosen = os.environ.get("TERN_LIBRARY")
    path = chosen or (beside if os.path.exists(beside) else ctypes.util.find_library("tern") or name)
    library = ctypes.CDLL(path)
    library.tern_abi_version.restype = ctypes.c_int32
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
        texts = [text.encode("utf-8") for _, text in messages]
        given = [_ChatMessage(text, len(text), role) for text, (role, _) in zip(texts, messages)]
        given = (_ChatMessage * len(messages))(*given)
        guess = sum(map(len, texts)) + 64 * len(messages) + 64
        return _fill(_i32, guess, "model_tokenize_chat", self._handle, given, len(messages), 0)

    def detokenize(self, tokens, continues=False):
        """The bytes of tokens; of a text in progress, they may end inside a character."""
        given = (self._handle, _ids(tokens), len(tokens), _CONTINUES if continues else 0)
        return _fill(ctypes.c_char, 16 * len(tokens), "model_detokenize", *given)

    def ends_text(self, token):
        return bool(_entries["model_is_end_of_generation"](self._handle, token))

    def session(self, **options):
        """A new session; options: context, batch, n_threads, kv (0 f16, 1 int8)."""
        return Session(self, **options)

    def embed(self, texts, **options):
        """The embeddings of texts, a list of floats each, of a model that gives them."""
        lists = [self.tokenize(text) for text in texts]
        tokens = _ids([token for one in lists for token in one])
        lengths = (ctypes.c_size_t * len(lists))(*map(len, lists))
        width = self.embedding_size
        out = (ctypes.c_float * (width * len(lists)))()
        session = Session(self, **options)
        texts_of = (tokens, len(tokens), lengths, len(lists))
        _call("session_embed", session._handle, *texts_of, out, len(out))
        return [list(out[i * width : (i + 1) * width]) for i in range(len(lists))]


class Session(_Handle):
    """One text in progress. One thread at a time, but for cancel()."""

    _free = "session_free"
    capacity = _number_of("session_capacity")

    def __init__(self, model, **options):
        self.model = model
        given = _SessionOptions(**options)
        self._create("session_create", model._handle, ctypes.byref(given))

    def __len__(self):
        return _entries["session_position"](self._handle)

    def fork(self):
        other = Session.__new__(Session)
        other.model = self.model
        other._create("session_fork", self._handle)
        return other

    def truncate(self, position):
        _call("session_truncate", self._handle, position)

    def reset(self):
        _call("session_reset", self._handle)

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

    @property
    def logits(self):
        """The logits of the last token, where they are: read them before the session moves on."""
        view, size = ctypes.POINTER(ctypes.c_float)(), ctypes.c_size_t()
        _call("session_logits", self._handle, ctypes.byref(view), ctypes.byref(size))
        array = ctypes.cast(view, ctypes.POINTER(ctypes.c_float * size.value)).contents
        array.session = self  # which the view needs for as long as it lives
        return memoryview(array).cast("B").cast("f")

    def log_prob(self, token):
        return _value(ctypes.c_double, "session_log_prob", self._handle, token)

    def sample(self, **sampler):
        """The next token; sampler: temperature, top_k, top_p, min_p, repeat_penalty, seed."""
        options = _SamplerOptions(**sampler)
        return _value(_i32, "session_sample", self._handle, ctypes.byref(options))

    def generate(self, prompt="", max_tokens=128, stop=(), **sampler):
        """Yields the continuation of a prompt (text or token ids) in pieces of whole characters.

        Break out of the loop to stop early: the session then holds all tokens but the last one that
        was yielded. A text of `stop`, one or several, ends the continuation before it.
        """
        stop = [one for one in ([stop] if isinstance(stop, str) else stop) if one]
        if prompt:
            tokens = self.model.tokenize(prompt) if isinstance(prompt, (str, bytes)) else prompt
            self.evaluate(tokens)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        held = ""
        for _ in range(max_tokens):
            token = self.sample(**sampler)
            if self.model.ends_text(token):
                break
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
            self.evaluate([token])
        held += decoder.decode(b"", final=True)
        if held:
            yield held
