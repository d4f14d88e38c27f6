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
_ADD_SPECIAL, _PARSE_SPECIAL = 1, 2
_CONTINUES = 2
_NO_POSITION = 0xFFFFFFFFFFFFFFFF


_u32, _u64, _i32, _f32 = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32, ctypes.c_float
_text, _size, _pointer = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p


def _struct(name, **fields):
    """A struct of tern.h, its fields in order."""
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


_LoadOptions = _struct(
    "_LoadOptions", struct_size=_u32, flags=_u32, isa=_text, isa_size=_size, allocator=_pointer,
    scheduler=_pointer, packing=_u32, head=_u32, i2s_layout=_u32, reserved=_u32,
    on_progress=_pointer, progress_user=_pointer, on_log=_pointer, log_user=_pointer,
)  # fmt: skip
_SessionOptions = _struct(
    "_SessionOptions", struct_size=_u32, context=_u32, batch=_u32, n_threads=_u32,
    allocator=_pointer, scheduler=_pointer, kv=_u32, flags=_u32,
)  # fmt: skip
_SamplerOptions = _struct(
    "_SamplerOptions", struct_size=_u32, temperature=_f32, top_k=_u32, top_p=_f32, min_p=_f32,
    repeat_penalty=_f32, seed=_u64, mask=_pointer, mask_size=_size, biases=_pointer,
    n_biases=_size,
)  # fmt: skip
_ChatMessage = _struct("_ChatMessage", content=_text, content_size=_size, role=_i32)


class Error(Exception):
    """What a call of tern failed with: a status, its name, one line, and where."""

    def __init__(self, library, status):
        super().__init__(library.tern_last_error_message().decode("utf-8", "replace"))
        self.status = status
        self.name = library.tern_status_name(status).decode("ascii")
        where = library.tern_last_error_where()
        self.where = None if where == _NO_POSITION else where


def _open_library():
    names = {"win32": "tern-%d.dll" % ABI_VERSION, "darwin": "libtern.dylib"}
    name = names.get(sys.platform, "libtern.so")
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    chosen = os.environ.get("TERN_LIBRARY")
    path = chosen or (beside if os.path.exists(beside) else ctypes.util.find_library("tern") or name)
    library = ctypes.CDLL(path)
    library.tern_abi_version.restype = ctypes.c_int32
    if library.tern_abi_version() != ABI_VERSION:
        raise ImportError("%s has another ABI than this binding" % path)
    handle, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    status, i32, u32 = ctypes.c_int32, ctypes.c_int32, ctypes.c_uint32
    to_handle, to_size = ctypes.POINTER(handle), ctypes.POINTER(size)
    ids, floats = ctypes.POINTER(i32), ctypes.POINTER(ctypes.c_float)
    signatures = {
        "tern_version_string": (text, []),
        "tern_status_name": (text, [status]),
        "tern_last_error_message": (text, []),
        "tern_last_error_where": (ctypes.c_uint64, []),
        "tern_model_load_file": (status, [text, size, ctypes.POINTER(_LoadOptions), to_handle]),
        "tern_model_free": (None, [handle]),
        "tern_model_name": (text, [handle, to_size]),
        "tern_model_architecture": (text, [handle, to_size]),
        "tern_model_isa": (text, [handle, to_size]),
        "tern_model_context": (u32, [handle]),
        "tern_model_vocab_size": (u32, [handle]),
        "tern_model_embedding_size": (u32, [handle]),
        "tern_model_tokenize": (status, [handle, text, size, u32, ids, size, to_size]),
        "tern_model_tokenize_chat": (
            status,
            [handle, ctypes.POINTER(_ChatMessage), size, u32, ids, size, to_size],
        ),
        "tern_model_detokenize": (status, [handle, ids, size, u32, text, size, to_size]),
        "tern_model_is_end_of_generation": (i32, [handle, i32]),
        "tern_session_create": (status, [handle, ctypes.POINTER(_SessionOptions), to_handle]),
        "tern_session_free": (None, [handle]),
        "tern_session_fork": (status, [handle, to_handle]),
        "tern_session_position": (u32, [handle]),
        "tern_session_capacity": (u32, [handle]),
        "tern_session_truncate": (status, [handle, u32]),
        "tern_session_reset": (status, [handle]),
        "tern_session_cancel": (None, [handle]),
        "tern_session_save": (status, [handle, ctypes.c_void_p, size, to_size]),
        "tern_session_restore": (status, [handle, text, size]),
        "tern_session_evaluate": (status, [handle, ids, size, floats, size]),
        "tern_session_begin": (status, [handle, ids, size]),
        "tern_session_step": (status, [handle, ctypes.c_uint64, ids]),
        "tern_session_logits": (status, [handle, ctypes.POINTER(floats), to_size]),
        "tern_session_log_prob": (status, [handle, i32, ctypes.POINTER(ctypes.c_double)]),
        "tern_session_sample": (status, [handle, ctypes.POINTER(_SamplerOptions), ids]),
        "tern_session_embed": (status, [handle, ids, size, to_size, size, floats, size]),
    }
    for function, (result, arguments) in signatures.items():
        entry = getattr(library, function)
        entry.restype = result
        entry.argtypes = arguments
    return library


_library = _open_library()


def _check(status):
    if status != _OK:
        raise Error(_library, status)


def _fill(call, capacity):
    """An array of what call(array, capacity, size) gives, called again if it was too small."""
    while True:
        array = (ctypes.c_int32 * capacity)()
        size = ctypes.c_size_t()
        status = call(array, capacity, ctypes.byref(size))
        if status == _BUFFER_TOO_SMALL and size.value > capacity:
            capacity = size.value
            continue
        _check(status)
        return list(array[: size.value])


def _ids(tokens):
    return (ctypes.c_int32 * len(tokens))(*tokens)


def _options(kind, **values):
    options = kind()
    options.struct_size = ctypes.sizeof(kind)
    for name, value in values.items():
        setattr(options, name, value)
    return options


def version():
    """The version of the library, as "major.minor.patch"."""
    return _library.tern_version_string().decode("ascii")


class Model:
    """A model from a GGUF or tern file, or a Hugging Face folder. Immutable; for any threads."""

    def __init__(self, path, isa="", copy=False):
        name = os.fsencode(path)
        options = _options(
            _LoadOptions, flags=1 if copy else 0, isa=isa.encode("utf-8"), isa_size=len(isa)
        )
        self._handle = ctypes.c_void_p()
        _check(
            _library.tern_model_load_file(
                name, len(name), ctypes.byref(options), ctypes.byref(self._handle)
            )
        )

    def __del__(self):
        if getattr(self, "_handle", None):
            _library.tern_model_free(self._handle)

    @property
    def name(self):
        return _library.tern_model_name(self._handle, None).decode("utf-8", "replace")

    @property
    def architecture(self):
        return _library.tern_model_architecture(self._handle, None).decode("utf-8", "replace")

    @property
    def isa(self):
        return _library.tern_model_isa(self._handle, None).decode("ascii")

    @property
    def context(self):
        return _library.tern_model_context(self._handle)

    @property
    def vocab_size(self):
        return _library.tern_model_vocab_size(self._handle)

    @property
    def embedding_size(self):
        return _library.tern_model_embedding_size(self._handle)

    def tokenize(self, text, special=True, parse_special=False):
        """Token ids of a text (str or bytes)."""
        data = text.encode("utf-8") if isinstance(text, str) else bytes(text)
        flags = (_ADD_SPECIAL if special else 0) | (_PARSE_SPECIAL if parse_special else 0)

        def call(array, capacity, size):
            return _library.tern_model_tokenize(
                self._handle, data, len(data), flags, array, capacity, size
            )

        return _fill(call, len(data) + 8)

    def tokenize_chat(self, messages):
        """Token ids of a conversation: (role, text) pairs, role one of SYSTEM, USER, ASSISTANT."""
        texts = [text.encode("utf-8") for _, text in messages]
        given = [_ChatMessage(text, len(text), role) for text, (role, _) in zip(texts, messages)]
        given = (_ChatMessage * len(messages))(*given)

        def call(array, capacity, size):
            return _library.tern_model_tokenize_chat(
                self._handle, given, len(messages), 0, array, capacity, size
            )

        return _fill(call, sum(map(len, texts)) + 64 * len(messages) + 64)

    def detokenize(self, tokens, continues=False):
        """The bytes of tokens; of a text in progress, they may end inside a character."""
        ids = _ids(tokens)
        flags = _CONTINUES if continues else 0
        size = ctypes.c_size_t()
        call = _library.tern_model_detokenize
        status = call(self._handle, ids, len(ids), flags, None, 0, ctypes.byref(size))
        if status != _BUFFER_TOO_SMALL:
            _check(status)
            return b""
        text = ctypes.create_string_buffer(size.value)
        _check(call(self._handle, ids, len(ids), flags, text, size.value, ctypes.byref(size)))
        return text.raw[: size.value]

    def ends_text(self, token):
        return bool(_library.tern_model_is_end_of_generation(self._handle, token))

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
        _check(
            _library.tern_session_embed(
                session._handle, tokens, len(tokens), lengths, len(lists), out, len(out)
            )
        )
        return [list(out[i * width : (i + 1) * width]) for i in range(len(lists))]


class Session:
    """One text in progress. One thread at a time, but for cancel()."""

    def __init__(self, model, **options):
        self.model = model
        self._handle = ctypes.c_void_p()
        given = _options(_SessionOptions, **options)
        _check(
            _library.tern_session_create(
                model._handle, ctypes.byref(given), ctypes.byref(self._handle)
            )
        )

    def __del__(self):
        if getattr(self, "_handle", None):
            _library.tern_session_free(self._handle)

    def __len__(self):
        return _library.tern_session_position(self._handle)

    @property
    def capacity(self):
        return _library.tern_session_capacity(self._handle)

    def fork(self):
        other = Session.__new__(Session)
        other.model = self.model
        other._handle = ctypes.c_void_p()
        _check(_library.tern_session_fork(self._handle, ctypes.byref(other._handle)))
        return other

    def truncate(self, position):
        _check(_library.tern_session_truncate(self._handle, position))

    def reset(self):
        _check(_library.tern_session_reset(self._handle))

    def cancel(self):
        _library.tern_session_cancel(self._handle)

    def save(self):
        """The state as bytes, for restore() of a session of the same model."""
        size = ctypes.c_size_t()
        status = _library.tern_session_save(self._handle, None, 0, ctypes.byref(size))
        if status != _BUFFER_TOO_SMALL:
            _check(status)
        state = ctypes.create_string_buffer(size.value)
        _check(_library.tern_session_save(self._handle, state, size.value, ctypes.byref(size)))
        return state.raw

    def restore(self, state):
        _check(_library.tern_session_restore(self._handle, state, len(state)))

    def evaluate(self, tokens):
        ids = _ids(tokens)
        _check(_library.tern_session_evaluate(self._handle, ids, len(ids), None, 0))

    def begin(self, tokens):
        ids = _ids(tokens)
        _check(_library.tern_session_begin(self._handle, ids, len(ids)))

    def step(self, seconds):
        """Works on what begin() was given for about this long; whether it is done."""
        done = ctypes.c_int32()
        _check(_library.tern_session_step(self._handle, max(0, int(seconds * 1e6)), ctypes.byref(done)))
        return bool(done.value)

    @property
    def logits(self):
        """The logits of the last token, where they are: read them before the session moves on."""
        view, size = ctypes.POINTER(ctypes.c_float)(), ctypes.c_size_t()
        _check(_library.tern_session_logits(self._handle, ctypes.byref(view), ctypes.byref(size)))
        array = ctypes.cast(view, ctypes.POINTER(ctypes.c_float * size.value)).contents
        array.session = self  # which the view needs for as long as it lives
        return memoryview(array).cast("B").cast("f")

    def log_prob(self, token):
        out = ctypes.c_double()
        _check(_library.tern_session_log_prob(self._handle, token, ctypes.byref(out)))
        return out.value

    def sample(self, **sampler):
        """The next token; sampler: temperature, top_k, top_p, min_p, repeat_penalty, seed."""
        options = _options(_SamplerOptions, **sampler)
        token = ctypes.c_int32()
        _check(
            _library.tern_session_sample(self._handle, ctypes.byref(options), ctypes.byref(token))
        )
        return token.value

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
            keep = _possible_stop(held, stop)
            if len(held) > keep:
                yield held[: len(held) - keep]
            held = held[len(held) - keep :]
            if len(self) == self.capacity:
                break
            self.evaluate([token])
        held += decoder.decode(b"", final=True)
        if held:
            yield held


def _possible_stop(text, stop):
    """How many characters at the end of a text may be the beginning of a stop text."""
    return max(
        (n for one in stop for n in range(1, len(one)) if text.endswith(one[:n])), default=0
    )
