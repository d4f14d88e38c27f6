/*
** tern.h: ternary language models inside your program.
**
** This header is the whole C interface of tern, and its manual. It is C99, needs nothing but
** <stddef.h> and <stdint.h>, and can be included from C++. Link with libtern.a, the C++ runtime
** and threads (cc program.c -ltern -lstdc++ -lpthread -lm).
**
** THE SHAPE OF A PROGRAM
**
**     tern_model_load_file()       a model from a file; immutable, for any number of sessions
**     tern_session_create()        a session: one text in progress, with all its memory
**     tern_model_tokenize()        text to token ids
**     tern_session_evaluate()      token ids to logits
**     tern_session_sample()        logits to the next token id; evaluate it, and so on
**     tern_session_generate()      ... or let tern do that loop and call you with the text
**     tern_session_free(), tern_model_free()
**
** WHAT HOLDS EVERYWHERE
**
** Results.   Functions that can fail return a tern_status, TERN_OK or what went wrong. Results
**            come through pointers, the last parameters; they are set to NULL or 0 on entry, so
**            that after a failure they hold no rubbish. A pointer to a result that must be there
**            and is NULL gives TERN_INVALID_ARGUMENT, as does a NULL handle.
** Errors.    tern_last_error_message() says in one line what the calling thread's last failure
**            was.
** Silence.   tern never ends the process, prints, raises a signal, reads the environment or
**            touches the locale. No C++ exception leaves it. It has no state beside its handles
**            and the last error of each thread.
** Threads.   A tern_model may be used by any number of threads at once. A tern_session may be
**            used by one thread at a time, any thread; a call that finds another one running on
**            the same session gives TERN_BUSY. Functions that only read a session (const
**            tern_session*) do not look whether one is running: they belong to its thread, and are
**            legal in its callbacks. tern_session_cancel() alone may be called at any moment. A
**            tern_grammar and a tern_layer may be used by one thread at a time, any thread; nothing
**            looks. Functions that take no handle may be called by any thread at any time, and so
**            may those that make one of a model or of nothing. Handles are freed when no other
**            thread uses them. tern makes no threads of its own unless a session asks for them
**            (tern_session_options.n_threads). Those belong to that session: ten sessions of eight
**            threads are eighty. A host with many sessions gives all of them its own threads
**            instead (tern_scheduler).
** Memory.    Everything is allocated through the tern_allocator of a model or session, if one is
**            given. After tern_session_create(), evaluating, sampling and reading logits allocate
**            nothing.
** Strings.   A pointer and a length in bytes, UTF-8, not necessarily ended by a zero. (NULL, 0)
**            is the empty string. Strings that tern returns say how long they live.
** Buffers.   Functions that fill a buffer of yours take its capacity and report the size that the
**            result has. If that is more, they give TERN_BUFFER_TOO_SMALL, the size is still
**            reported, and the contents of the buffer are unspecified: call again with a larger
**            one. (NULL, 0) asks for the size alone.
** Options.   Structs whose first field is their size. Set all fields to their defaults with the
**            init macro of the struct, change what you like, pass a pointer; NULL takes every
**            default. Zero is the default of every field. Fields are only ever appended: programs
**            built with an older header keep working with a newer library, and the other way
**            round unless they set a field or a flag that the library does not know
**            (TERN_INVALID_ARGUMENT).
** Callbacks. Get your `user` pointer first, and come on the thread of the call that they belong to
**            (tern_allocator says more). They must return: no exception and no longjmp may pass
**            through tern. They must not change the session that is calling them, except by
**            tern_session_cancel().
** Exactness. Logits are the same bits on every machine, with every instruction set, any number of
**            threads, any batch, however a text is cut into calls, and whatever rounding mode the
**            calling thread is in; tern leaves that mode as it was.
*/
#ifndef TERN_H_
#define TERN_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
** Visibility of every function. Define TERN_API as empty when you compile tern into a library of
** your own that should not export it.
*/
#ifndef TERN_API
#if defined(_WIN32) && defined(TERN_BUILD_DLL)
#define TERN_API __declspec(dllexport)
#elif defined(_WIN32) && defined(TERN_USE_DLL)
#define TERN_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define TERN_API __attribute__((visibility("default")))
#else
#define TERN_API
#endif
#endif

/* ------------------------------------------------------------------------------------------------
** VERSION
**
** The macros tell what this header is, the functions what the library is. A program may run with
** a library whose TERN_ABI_VERSION is that of its header. Before version 1.0 the ABI may change
** between minor versions; the changelog says so each time, and the number changes.
** Threads: any. Cost: none.
*/
#define TERN_VERSION_MAJOR 0
#define TERN_VERSION_MINOR 1
#define TERN_VERSION_PATCH 0
#define TERN_VERSION_STRING "0.1.0"
#define TERN_VERSION_NUMBER \
  (TERN_VERSION_MAJOR * 1000000 + TERN_VERSION_MINOR * 1000 + TERN_VERSION_PATCH)
#define TERN_ABI_VERSION 1

/* TERN_VERSION_NUMBER of the library: major * 1000000 + minor * 1000 + patch. */
TERN_API int32_t tern_version_number(void);
/* "major.minor.patch" of the library, ended by a zero. Lives for ever. */
TERN_API const char* tern_version_string(void);
/* TERN_ABI_VERSION of the library. */
TERN_API int32_t tern_abi_version(void);

/* ------------------------------------------------------------------------------------------------
** STATUS AND ERRORS
**
** The numbers are pinned and never reused. New ones may be added: treat an unknown one as an
** error of its group, which is the number divided by ten.
*/
typedef int32_t tern_status;

enum {
  TERN_OK = 0,

  /* 10s: the arguments of a call. */
  TERN_INVALID_ARGUMENT = 10,   /* NULL, out of range, or not in this state */
  TERN_TOKEN_OUT_OF_RANGE = 11, /* not a token id of this model */
  TERN_BUFFER_TOO_SMALL = 12,   /* the size that is needed was reported */

  /* 20s: the bytes of a file. */
  TERN_MALFORMED = 20,   /* a rule of the format is broken */
  TERN_TRUNCATED = 21,   /* the bytes end before the structure does */
  TERN_MISSING = 22,     /* a required key or tensor is absent */
  TERN_MISMATCH = 23,    /* a shape, type or value contradicts another part of the file */
  TERN_NOT_TERNARY = 24, /* the values of a linear layer are not {-g, 0, +g} */

  /* 30s: legal, but not supported. */
  TERN_UNSUPPORTED = 30,
  TERN_UNSUPPORTED_VERSION = 31,
  TERN_UNSUPPORTED_ARCHITECTURE = 32,
  TERN_UNSUPPORTED_TYPE = 33,
  TERN_UNSUPPORTED_TOKENIZER = 34, /* also: the model has no vocabulary */
  TERN_ISA_UNAVAILABLE = 35,       /* an instruction set that this CPU or this build lacks */
  TERN_ISA_UNKNOWN = 36,           /* no instruction set of that name */

  /* 40s: resources. */
  TERN_OUT_OF_MEMORY = 40,
  TERN_IO_ERROR = 41,
  TERN_NOT_FOUND = 42, /* no such file */

  /* 50s: state. */
  TERN_CANCELLED = 50,    /* tern_session_cancel() ended the call */
  TERN_CONTEXT_FULL = 51, /* more tokens than positions left */
  TERN_BUSY = 52,         /* another call is running on this session, or it is stepping */
  TERN_NON_FINITE = 53,   /* an activation overflowed to infinity or NaN */

  /* 90: a defect of tern. Please report it. */
  TERN_INTERNAL = 90
};

/*
** The name of a status in lower case ("out_of_memory"), or "unknown status". Ended by a zero,
** lives for ever. Threads: any. Cost: none.
*/
TERN_API const char* tern_status_name(tern_status status);

/*
** The last failure of a tern call on the calling thread. It belongs to the thread, not to a
** handle: a model is shared, loading has no handle yet, and a call that finds a session busy must
** not disturb the one that is running.
** A call that succeeds leaves it as it is, and functions that return no tern_status never set it.
** Strings are ended by a zero and live until the thread's next call that fails.
** Threads: each its own. Cost: none, nothing is allocated, so it works when memory is exhausted.
*/
#define TERN_NOWHERE UINT64_C(0xFFFFFFFFFFFFFFFF)

/* Its status; TERN_OK when nothing failed yet. */
TERN_API tern_status tern_last_error_status(void);
/* All of it in one line: "avx9: no such instruction set", "blk.0.attn_q.weight: ... at byte 4711". */
TERN_API const char* tern_last_error_message(void);
/* The byte of the file or index of the token at which it happened; TERN_NOWHERE if at none. */
TERN_API uint64_t tern_last_error_where(void);
/* The name of what it happened to: a key, a tensor, an option; cut to 71 bytes; "" if none. */
TERN_API const char* tern_last_error_subject(void);

/* ------------------------------------------------------------------------------------------------
** WHAT THE HOST MAY BRING
**
** Both structs are copied when a model or session is created; they never grow.
*/

/*
** Where memory comes from. Both functions, or neither. They may be called from any thread that
** uses the handles, and must not fail by exception.
**   allocate  returns `bytes` (more than 0) aligned to `alignment` (a power of two), or NULL
**   release   takes back a block, never NULL, with the bytes and alignment of its allocation
*/
typedef struct tern_allocator {
  void* user;
  void* (*allocate)(void* user, size_t bytes, size_t alignment);
  void (*release)(void* user, void* block, size_t bytes, size_t alignment);
} tern_allocator;

/*
** The host's own threads. parallel_for calls task(context, i) once for every i < n_tasks, on any
** threads and in any order, and returns when all have returned. Tasks never wait for each other,
** so running them one after another is correct. Results do not depend on it.
**   n_workers  how many tasks can run at once, the calling thread included; 0 counts as 1, and 1
**              means that parallel_for is never called
*/
typedef struct tern_scheduler {
  void* user;
  void (*parallel_for)(void* user, size_t n_tasks, void (*task)(void* context, size_t index),
                       void* context);
  uint32_t n_workers;
} tern_scheduler;

/*
** How far loading is: `done` of `total`, in bytes. Called from the loading thread, after each
** linear layer. Return 0 to go on, anything else to cancel: the call then gives TERN_CANCELLED.
*/
typedef int32_t (*tern_progress_callback)(void* user, uint64_t done, uint64_t total);

/* How much a line of the log matters. New levels may be added. */
enum { TERN_LOG_INFO = 1, TERN_LOG_WARNING = 2 };

/*
** A line about what is loaded: what was chosen for it, what is doubtful about the file. `text` is
** not ended by a zero and lives for the call. Without a callback nothing is said anywhere.
*/
typedef void (*tern_log_callback)(void* user, int32_t level, const char* text, size_t size);

/*
** Sets `struct_size` bytes at `options` to zero and the first field to struct_size: every option
** at its default. Call it through the init macros below, which fill in the size. NULL is ignored.
** Threads: any. Cost: none.
*/
TERN_API void tern_options_init(void* options, size_t struct_size);

/* ------------------------------------------------------------------------------------------------
** INSTRUCTION SETS
**
** The kernels that this build has, best first; the last one is "scalar", which every machine
** runs. All give the same bits. A model takes the best available one unless its options name
** another.
** Threads: any. Cost: none; the CPU is asked again on every call.
*/

/* How many there are. */
TERN_API size_t tern_isa_count(void);
/* The name of one, ended by a zero, lives for ever. "" for an index that is none. */
TERN_API const char* tern_isa_name(size_t index);
/* 1 if this CPU and its operating system run it, else 0. */
TERN_API int32_t tern_isa_is_available(size_t index);

/*
** What tern looks for in the CPU: "avx2", "avx512vnni", "dotprod" and the like, of all machines;
** whether this CPU has it and its operating system lets it be used. "" and 0 for an index that is
** none. Threads: any. Cost: none; the CPU is asked again on every call.
*/
TERN_API size_t tern_cpu_feature_count(void);
TERN_API const char* tern_cpu_feature_name(size_t index);
TERN_API int32_t tern_cpu_feature_is_present(size_t index);

/* ------------------------------------------------------------------------------------------------
** MODELS
*/
typedef struct tern_model tern_model;

/* The file is read into memory once and may change afterwards. By default it is mapped: its pages
** are shared between processes and the system's to drop and load again, and the file must not
** change or shrink while the model lives. */
#define TERN_LOAD_COPY UINT32_C(1)
/* ReLU^2 models are laid out to be read whole, not to skip zeros: a little faster for long prompts
** alone. Results are the same. */
#define TERN_LOAD_NO_SKIPPING UINT32_C(2)

/* How linear layers are packed. Results are the same. */
enum {
  TERN_PACKING_AUTO = 0, /* what streams best here; a tern file as it is */
  TERN_PACKING_T2 = 2,   /* 2 bits a weight */
  TERN_PACKING_T5 = 5    /* 1.6 bits, where the scales allow it */
};

/* What the head and a tied embedding are kept as. */
enum {
  TERN_HEAD_KEEP = 0, /* as the file has it */
  TERN_HEAD_Q6 = 1,   /* Q6_K, 6.6 bits a weight: other, slightly rounded logits */
  TERN_HEAD_I8 = 2,   /* int8 with a scale a row: the same */
  /* As I8, but where generating needs only the largest logits (greedy, or top_k of at most 64 with
  ** neither biases nor a repetition penalty), rows are read as far as it takes to know that they are
  ** not among them. The text is that of I8, of fewer bytes. */
  TERN_HEAD_TWO_STAGE = 3,
  /* The same, but rows are left when they are likely not among them: fewer bytes still, a text that
  ** can differ from that of I8. */
  TERN_HEAD_TWO_STAGE_LIKELY = 4
};

/* Which program wrote tensors of type I2_S; a file does not say. */
enum { TERN_I2S_X86 = 0, TERN_I2S_ARM = 1 };

typedef struct tern_load_options {
  uint32_t struct_size;
  uint32_t flags;  /* TERN_LOAD_ values, or-ed */
  const char* isa; /* instruction set by name; empty takes the best that runs here */
  size_t isa_size;
  const tern_allocator* allocator; /* for the model, and its sessions unless they have their own */
  const tern_scheduler* scheduler; /* where packing runs; NULL: on the calling thread */
  uint32_t packing;                /* a TERN_PACKING_ value */
  uint32_t head;                   /* a TERN_HEAD_ value */
  uint32_t i2s_layout;             /* a TERN_I2S_ value */
  uint32_t reserved;               /* 0 */
  tern_progress_callback on_progress;
  void* progress_user;
  tern_log_callback on_log;
  void* log_user;
} tern_load_options;

#define tern_load_options_init(options) tern_options_init((options), sizeof(tern_load_options))

/*
** Loads a ternary model: a GGUF or tern file, a split GGUF file by any of its parts, or a Hugging
** Face folder (config.json, safetensors, tokenizer.json). `path` is UTF-8 (on POSIX: the bytes of
** the path), without zeros. Ternary tensors are packed into memory of tern's own, about a quarter
** of a byte a weight; embeddings stay in the file's bytes.
** Errors:  TERN_NOT_FOUND, TERN_IO_ERROR; any of the 20s and 30s; TERN_OUT_OF_MEMORY;
**          TERN_CANCELLED (by on_progress). No file, however damaged, makes tern allocate more
**          than the file's size justifies.
** Owns:    *out is yours; give it to tern_model_free().
** Threads: any; several models may load at once, as of tern_model_load_*() below.
** Cost:    a pass over all tensors: the ternary ones are packed, the embedding and the head read
**          through, since no value may be infinite or NaN. So mapped pages have all been touched
**          once when it returns; the system may drop those of the file and load them again.
*/
TERN_API tern_status tern_model_load_file(const char* path, size_t path_size,
                                          const tern_load_options* options, tern_model** out);

/*
** The same from the bytes of a file in memory. They are borrowed, not copied: keep them alive and
** unchanged until the model and all of its sessions are freed. No alignment is needed.
*/
TERN_API tern_status tern_model_load_memory(const void* bytes, size_t size,
                                            const tern_load_options* options, tern_model** out);

/*
** The same from bytes [offset, offset + size) of a file that is open already, such as an asset in
** an application's package. The descriptor stays yours and may be closed when the call returns. On
** Windows it is one of the C runtime that tern is linked with.
** Errors: also TERN_IO_ERROR (not a regular file, or it ends before), TERN_INVALID_ARGUMENT.
*/
TERN_API tern_status tern_model_load_descriptor(int descriptor, uint64_t offset, uint64_t size,
                                                const tern_load_options* options,
                                                tern_model** out);

/* Fills `buffer` with `size` bytes from byte `offset` of a file. Return 0; anything else fails. */
typedef int32_t (*tern_read_callback)(void* user, uint64_t offset, void* buffer, size_t size);

/*
** The same from a file of `size` bytes that only the host can read: it is read once, front to back,
** in pieces of at most 16 MiB, into memory of the allocator, by the calling thread. on_progress
** hears of that first, then of the rest. Errors: also TERN_IO_ERROR (on_read failed).
*/
TERN_API tern_status tern_model_load_reader(tern_read_callback on_read, void* user, uint64_t size,
                                            const tern_load_options* options, tern_model** out);

/* Gives a model back. Its sessions keep what they need of it and go on working. NULL is ignored. */
TERN_API void tern_model_free(tern_model* model);

/*
** What a model is. Strings are ended by a zero and live as long as the handle; *size, unless
** NULL, gets the length. Of a NULL handle strings are "" and numbers 0.
** Threads: any. Cost: none.
*/
/* The name that the file gives, or "". */
TERN_API const char* tern_model_name(const tern_model* model, size_t* size);
/* The architecture as the file spells it: "bitnet-b1.58". */
TERN_API const char* tern_model_architecture(const tern_model* model, size_t* size);
/* The instruction set in use. */
TERN_API const char* tern_model_isa(const tern_model* model, size_t* size);
/* "bitnet", "llama3", "falcon3", "chatml", "template" (the model's own, none of these), or "none"
** (also if its template is beyond what tern runs). */
TERN_API const char* tern_model_chat_format(const tern_model* model, size_t* size);
/* How many logits there are. Token ids that tern_session_evaluate() takes are below it. */
TERN_API uint32_t tern_model_vocab_size(const tern_model* model);
/* How many tokens the vocabulary has: sampling gives ids below it. At most vocab_size, and equal
** to it if the model has no vocabulary. */
TERN_API uint32_t tern_model_n_tokens(const tern_model* model);
/* The positions that the model was made for. */
TERN_API uint32_t tern_model_context(const tern_model* model);
/* The width of the residual stream, in elements. */
TERN_API uint32_t tern_model_dim(const tern_model* model);
/* The width of the feed-forward blocks, in elements. */
TERN_API uint32_t tern_model_ffn_dim(const tern_model* model);
TERN_API uint32_t tern_model_n_layers(const tern_model* model);
/* Attention heads: of queries, of keys and values, and the elements of one. */
TERN_API uint32_t tern_model_n_heads(const tern_model* model);
TERN_API uint32_t tern_model_n_kv_heads(const tern_model* model);
TERN_API uint32_t tern_model_head_dim(const tern_model* model);
/* The elements of an embedding, of a model that gives embeddings of texts (tern_session_embed());
** 0 of a model that gives logits. */
TERN_API uint32_t tern_model_embedding_size(const tern_model* model);
/* Bytes allocated for weights; what is used in the file's own bytes is not counted. */
TERN_API uint64_t tern_model_weight_bytes(const tern_model* model);
/* Bytes of all linear layers and the head: what a pass over the weights reads if it skips none. */
TERN_API uint64_t tern_model_pass_bytes(const tern_model* model);

/*
** The metadata of the file, as GGUF names them (of a Hugging Face folder: as tern names what it
** read). Entries are counted from 0. The key lives as long as the model and is not ended by a zero;
** it is "" for an index that is none.
** Threads: any. Cost: none to count and to name, a look-up for a value.
*/
TERN_API size_t tern_model_metadata_count(const tern_model* model);
TERN_API const char* tern_model_metadata_key(const tern_model* model, size_t index, size_t* size);

/*
** A value by its key. A text lives as long as the model and is not ended by a zero. An integer is
** of any width, a truth value is 0 or 1; a real may also be an integer in the file.
** Errors: TERN_MISSING (no such key), TERN_MISMATCH (a value of another type, such as an array).
*/
TERN_API tern_status tern_model_metadata_text(const tern_model* model, const char* key,
                                              size_t key_size, const char** text, size_t* size);
TERN_API tern_status tern_model_metadata_integer(const tern_model* model, const char* key,
                                                 size_t key_size, int64_t* value);
TERN_API tern_status tern_model_metadata_real(const tern_model* model, const char* key,
                                              size_t key_size, double* value);

/* ------------------------------------------------------------------------------------------------
** TEXT AND TOKENS
**
** Functions of the model, so any thread may call them at any time. A model without a vocabulary
** gives TERN_UNSUPPORTED_TOKENIZER.
*/

/* The tokens that begin and end a text go in front and behind, where the model asks for them. */
#define TERN_TOKENIZE_ADD_SPECIAL UINT32_C(1)
/* Names of control tokens in the text ("<|eot_id|>") become those tokens. Not for others' text. */
#define TERN_TOKENIZE_PARSE_SPECIAL UINT32_C(2)

/*
** Turns text, any bytes at all, into token ids. A prompt wants TERN_TOKENIZE_ADD_SPECIAL.
** Shapes:  tokens [capacity]; *n_tokens is how many the text has.
** Errors:  TERN_BUFFER_TOO_SMALL, TERN_OUT_OF_MEMORY, TERN_INVALID_ARGUMENT (also: 2 GiB or
**          more).
** Cost:    about linear in text_size; allocates scratch. A text has at most text_size + 2 tokens,
**          but for vocabularies that put a space in front.
*/
TERN_API tern_status tern_model_tokenize(const tern_model* model, const char* text,
                                         size_t text_size, uint32_t flags, int32_t* tokens,
                                         size_t capacity, size_t* n_tokens);

/* Names of control tokens appear in the text; by default they are hidden. */
#define TERN_DETOKENIZE_SHOW_SPECIAL UINT32_C(1)
/* The tokens continue a text. By default they begin one, and the space that some vocabularies put
** in front of a text is taken off again. */
#define TERN_DETOKENIZE_CONTINUES UINT32_C(2)

/*
** Turns token ids into text. The text is what the tokens stand for and may begin or end in the
** middle of a UTF-8 character; tern_session_generate() gives whole ones. No zero is added.
** Shapes:  text [capacity]; *size is the text's size in bytes.
** Errors:  TERN_BUFFER_TOO_SMALL, TERN_TOKEN_OUT_OF_RANGE (where = index).
** Cost:    linear; no allocation.
*/
TERN_API tern_status tern_model_detokenize(const tern_model* model, const int32_t* tokens,
                                           size_t n_tokens, uint32_t flags, char* text,
                                           size_t capacity, size_t* size);

/*
** The bytes of one token; of a control token its name. *piece lives as long as the model and is
** not ended by a zero. Errors: TERN_TOKEN_OUT_OF_RANGE. Cost: none.
*/
TERN_API tern_status tern_model_token_piece(const tern_model* model, int32_t token,
                                            const char** piece, size_t* size);

/* 1 for a token at which a text or an answer ends, else 0; 0 for a NULL model. Cost: none. */
TERN_API int32_t tern_model_is_end_of_generation(const tern_model* model, int32_t token);

/* The tokens with a role. */
enum {
  TERN_TOKEN_BOS = 0, /* begins a text */
  TERN_TOKEN_EOS = 1, /* ends a text */
  TERN_TOKEN_EOT = 2  /* ends a turn of a conversation */
};

/* The id of the token with a TERN_TOKEN_ role, or -1 if the model has none. Cost: none. */
TERN_API int32_t tern_model_special_token(const tern_model* model, int32_t role);

/* Who speaks in a conversation. */
enum { TERN_ROLE_SYSTEM = 0, TERN_ROLE_USER = 1, TERN_ROLE_ASSISTANT = 2 };

/* One message. This struct never grows, so that there can be arrays of it. */
typedef struct tern_chat_message {
  const char* content; /* UTF-8; only text, whatever it contains: it cannot inject control tokens */
  size_t content_size;
  int32_t role; /* TERN_ROLE_ value */
} tern_chat_message;

/* Leave out what asks the assistant to speak next. */
#define TERN_CHAT_NO_ANSWER UINT32_C(1)
/* The messages go on with a conversation that the session holds already, up to an answer's end:
** nothing begins a text, and what ends the answer's turn comes first. */
#define TERN_CHAT_CONTINUES UINT32_C(2)

/*
** Turns messages into the token ids of a prompt, in the format that the model was trained with.
** Shapes:  messages [n_messages], tokens [capacity]; *n_tokens is how many the prompt has.
**          With a model's own template, messages that continue a conversation are written as one
**          of their own: what the template writes first comes again.
** Errors:  TERN_UNSUPPORTED (the model has no chat format, or a template beyond what tern runs),
**          TERN_MALFORMED (a template that is none), TERN_INVALID_ARGUMENT (the template refuses
**          the messages), and those of tern_model_tokenize(). Cost: as tern_model_tokenize().
*/
TERN_API tern_status tern_model_tokenize_chat(const tern_model* model,
                                              const tern_chat_message* messages, size_t n_messages,
                                              uint32_t flags, int32_t* tokens, size_t capacity,
                                              size_t* n_tokens);

/* ------------------------------------------------------------------------------------------------
** SESSIONS
**
** A session is one text in progress: its tokens, what the model remembers of them, and the logits
** of the last one. A call that fails or is cancelled leaves it as it was before the call.
*/
typedef struct tern_session tern_session;

/* Zeros are not skipped, though the model could. Results are the same. */
#define TERN_SESSION_NO_SKIPPING UINT32_C(1)

/* What keys and values are kept as: bits a number, and one f16 for all of a head's integers. */
enum {
  TERN_KV_F16 = 0,
  TERN_KV_I8 = 1,
  TERN_KV_I4 = 2,
  TERN_KV_I3 = 3, /* the first position in 4 bits; not for models of embeddings */
  TERN_KV_F32 = 4 /* exact, to compare with other programs; slow */
};

typedef struct tern_session_options {
  uint32_t struct_size;
  uint32_t context;                /* positions; 0: those of the model; at most 1048575 */
  uint32_t batch;                  /* most tokens in one pass over the weights; 0: 256 */
  uint32_t n_threads;              /* own threads, the caller included; 0 and 1: the caller alone */
  const tern_allocator* allocator; /* NULL: the model's */
  const tern_scheduler* scheduler; /* the host's threads, not own ones; then n_threads is 0 */
  uint32_t kv;                     /* a TERN_KV_ value; the logits depend on it */
  uint32_t flags;                  /* TERN_SESSION_ values, or-ed */
} tern_session_options;

#define tern_session_options_init(options) \
  tern_options_init((options), sizeof(tern_session_options))

/*
** Makes an empty session and allocates everything that it will need.
** Errors:  TERN_INVALID_ARGUMENT (an option out of range, scheduler and n_threads both set),
**          TERN_OUT_OF_MEMORY, TERN_IO_ERROR (no thread could be started).
** Owns:    *out is yours; give it to tern_session_free(). The model may be freed before it.
** Cost:    memory in proportion to context * layers * kv heads * head dim, 4 bytes each (2 with
**          TERN_KV_I8, 1 with TERN_KV_I4, 0.75 with TERN_KV_I3), and to batch: tern_session_memory() says how much.
*/
TERN_API tern_status tern_session_create(const tern_model* model,
                                         const tern_session_options* options, tern_session** out);

/*
** The bytes that tern_session_create() would ask of the allocator, but for some 4 KiB and its
** threads' stacks. Pages of a long context are touched only as it fills.
** Errors: TERN_INVALID_ARGUMENT. Cost: none.
*/
TERN_API tern_status tern_session_memory(const tern_model* model,
                                         const tern_session_options* options, uint64_t* bytes);

/*
** Another session of the same model, options and text, which goes its own way from here: several
** answers to one prompt. Own threads are shared by the two, the host's scheduler too.
** Errors:  TERN_BUSY, TERN_OUT_OF_MEMORY.
** Owns:    *out is yours, as of tern_session_create(), and any thread's to use.
** Threads: the session's. Cost: its memory, and a copy of what is used.
*/
TERN_API tern_status tern_session_fork(tern_session* session, tern_session** out);

/*
** The state of a session as bytes, to go on later: on any machine, with any instruction set,
** packing, threads and context that is large enough, but with the same model and kv. *size is what
** is needed.
** Errors: TERN_BUFFER_TOO_SMALL, TERN_BUSY. Cost: a copy.
*/
TERN_API tern_status tern_session_save(tern_session* session, void* buffer, size_t capacity,
                                       size_t* size);
/*
** Makes a session what it was when it was saved.
** Errors: TERN_MALFORMED, TERN_TRUNCATED, TERN_UNSUPPORTED_VERSION, TERN_MISMATCH (another model or
**         kv), TERN_CONTEXT_FULL (more tokens than positions), TERN_BUSY; the session is then as it
**         was. Damage is noticed, malice is not: whoever can write the bytes can write the
**         conversation. Cost: a copy.
*/
TERN_API tern_status tern_session_restore(tern_session* session, const void* bytes, size_t size);

/* Gives a session back, and ends its threads. No call may be running on it. NULL is ignored. */
TERN_API void tern_session_free(tern_session* session);

/* How many tokens the session holds: the position of the next one. 0 for NULL. Threads: the
** session's. Cost: none. */
TERN_API uint32_t tern_session_position(const tern_session* session);
/* How many it can hold. 0 for NULL. Threads: any. Cost: none. */
TERN_API uint32_t tern_session_capacity(const tern_session* session);
/*
** The tokens that the session holds, as many as its position. *tokens lives until the next call
** that changes the session. Threads: the session's. Cost: none.
*/
TERN_API tern_status tern_session_tokens(const tern_session* session, const int32_t** tokens,
                                         size_t* n_tokens);

/*
** Forgets all tokens from `position` on, so that another text can follow the ones before. If
** there were any, there are no logits until the next evaluation.
** Errors: TERN_INVALID_ARGUMENT (beyond the end), TERN_BUSY. Cost: none.
*/
TERN_API tern_status tern_session_truncate(tern_session* session, uint32_t position);

/* Forgets everything, also what tern_session_begin() was given. Errors: TERN_BUSY (a call is
** running). Cost: none. */
TERN_API tern_status tern_session_reset(tern_session* session);

/*
** Makes the evaluation or generation that is running end with TERN_CANCELLED, soon: within about
** the time of a slice of tern_session_step(), however large its batch. Does nothing if none is
** running, so that a request that comes too late harms no later call; a program that evaluates in a
** loop of its own looks at a flag of its own between the calls. Of a session that is stepping, the
** next step ends so. NULL is ignored.
** Threads: any, at any time. Cost: none.
*/
TERN_API void tern_session_cancel(tern_session* session);

/*
** Appends tokens to the session and computes the logits of the last one, and of all on request.
** Shapes:  tokens [n_tokens]; all_logits [n_tokens * vocab_size] floats in the order of the
**          tokens, or NULL; all_logits_size is its capacity in floats.
** Errors:  TERN_TOKEN_OUT_OF_RANGE (where = index), TERN_CONTEXT_FULL, TERN_CANCELLED,
**          TERN_NON_FINITE, TERN_BUFFER_TOO_SMALL (all_logits), TERN_INVALID_ARGUMENT (no
**          tokens), TERN_UNSUPPORTED (the model gives embeddings), TERN_BUSY. After one, the
**          contents of all_logits are unspecified.
** Cost:    a pass over the weights for every `batch` tokens; no allocation.
*/
TERN_API tern_status tern_session_evaluate(tern_session* session, const int32_t* tokens,
                                           size_t n_tokens, float* all_logits,
                                           size_t all_logits_size);

/*
** tern_session_evaluate() for a program that draws greedily (n_best 1) or with a top_k (n_best the
** same): the logits of the last token need hold its n_best largest alone. Of a model with
** TERN_HEAD_TWO_STAGE the others then are minus infinity, mostly, and were not computed; what needs
** them (another draw, tern_session_log_prob, _fork, _save) has them computed first.
** Shapes:  tokens [n_tokens].
** Errors:  those of tern_session_evaluate(), TERN_INVALID_ARGUMENT (n_best is 0).
** Threads: the session's.
** Cost:    as tern_session_evaluate(), less what is not read of the head; n_best above 64 reads all.
*/
TERN_API tern_status tern_session_evaluate_best(tern_session* session, const int32_t* tokens,
                                                size_t n_tokens, uint32_t n_best);

/*
** An evaluation in slices, for a host with a frame to keep. tern_session_begin() takes the tokens
** (a copy), tern_session_step() works on them: always one slice (a layer over at most 8 tokens, as
** many as should fit the budget, or a sixteenth of the head), then more as long as another one like
** the last should end before budget_us microseconds are over. *done is 1 when the logits are there:
** the bits that tern_session_evaluate() gives. Until then only step, cancel, reset and free are
** legal; position and logits are those of before; all else gives TERN_BUSY.
**
**     tern_session_begin(session, prompt, n);
**     each frame:  tern_session_step(session, 2000, &done);
**                  if (done) { tern_session_sample(...); tern_session_begin(session, &token, 1); }
**
** Errors:  of begin those of evaluate before it computes; of step TERN_CANCELLED and
**          TERN_NON_FINITE, after which the session is where it was before begin, TERN_BUSY,
**          TERN_INVALID_ARGUMENT (nothing was begun).
** Cost:    a pass over the weights for every 8 tokens, or fewer in small budgets; no allocation.
*/
TERN_API tern_status tern_session_begin(tern_session* session, const int32_t* tokens,
                                        size_t n_tokens);
TERN_API tern_status tern_session_step(tern_session* session, uint64_t budget_us, int32_t* done);

/*
** Appends one token to each of several sessions of one model, in one pass over the weights: a crowd
** of characters for little more than the time of one. Each session gets the bits that it gets
** alone. Runs on the threads and buffers of the first.
** Shapes:  sessions, tokens [n_sessions]; at most 64, and at most the first one's batch; no context
**          is longer than the first one's; all have one kv.
** Errors:  those of evaluate, TERN_INVALID_ARGUMENT (sessions of different models, too many, a
**          longer context, another kv); `where` is the index of the session. After one no session has moved.
**          tern_session_cancel() of any of them cancels all.
** Threads: one, which uses all of them; TERN_BUSY if another call is running on any.
** Cost:    up to 8 sessions about that of one that skips nothing; no allocation.
*/
TERN_API tern_status tern_session_step_many(tern_session* const* sessions, const int32_t* tokens,
                                            size_t n_sessions);

/*
** The logits of the last token, *n_logits = vocab_size of them. *logits lives until the next call
** that changes the session.
** Errors: TERN_INVALID_ARGUMENT (none: nothing evaluated yet, or since a truncate or reset).
** Threads: the session's. Cost: none.
*/
TERN_API tern_status tern_session_logits(const tern_session* session, const float** logits,
                                         size_t* n_logits);

/*
** The natural logarithm of the probability that the logits give to a token.
** Errors: TERN_INVALID_ARGUMENT (no logits), TERN_TOKEN_OUT_OF_RANGE, TERN_BUSY.
** Cost:   a pass over the logits; no allocation.
*/
TERN_API tern_status tern_session_log_prob(tern_session* session, int32_t token, double* log_prob);

/*
** The embeddings of texts: vectors of length 1, so that the dot product of two is how near the
** texts are. Tokenize with TERN_TOKENIZE_ADD_SPECIAL: a text's embedding is that of its last token,
** which for most models must be the one that ends a text. Several texts share passes over the
** weights; each gets the bits that it gets alone. The session holds no tokens before and after;
** its context bounds one text, and texts go through together as far as they fit into it.
** Shapes:  tokens [n_tokens], the texts one behind the other; lengths [n_texts], the tokens of
**          each, at least 1; embeddings [n_texts * embedding_size] floats; embeddings_size is its
**          capacity in floats.
** Errors:  TERN_UNSUPPORTED (the model gives logits), TERN_TOKEN_OUT_OF_RANGE (where = index),
**          TERN_CONTEXT_FULL (where = index of the token that does not fit), TERN_CANCELLED,
**          TERN_NON_FINITE, TERN_BUFFER_TOO_SMALL, TERN_INVALID_ARGUMENT (no texts, lengths that
**          do not add up to n_tokens), TERN_BUSY. After one, the contents of embeddings are
**          unspecified.
** Cost:    a pass over the weights for every `batch` tokens; no allocation.
*/
TERN_API tern_status tern_session_embed(tern_session* session, const int32_t* tokens,
                                        size_t n_tokens, const size_t* lengths, size_t n_texts,
                                        float* embeddings, size_t embeddings_size);

/*
** What the head sees of the last token: the last layer's output, normed, as a feature vector for
** models of your own.
** Shapes:  *features gets [model_dim] floats, valid until the session's next call.
** Errors:  TERN_INVALID_ARGUMENT (no logits, a restored session).
** Threads: the session's. Cost: none.
*/
TERN_API tern_status tern_session_features(const tern_session* session, const float** features,
                                           size_t* n_features);

/*
** Evaluates tokens that are given, and tells how likely each was: the natural log of its
** probability after the tokens before it. The first one's comes from the logits that the session
** has; where it has none, or those of a mask, it is NaN.
** Shapes:  log_probs [n_tokens].
** Errors:  those of evaluate, TERN_OUT_OF_MEMORY; log_probs are then unspecified.
** Threads: the session's; TERN_BUSY otherwise.
** Cost:    the head for every token; memory of 9 to 16 times vocab_size floats for the call.
*/
TERN_API tern_status tern_session_score(tern_session* session, const int32_t* tokens,
                                        size_t n_tokens, double* log_probs);

/*
** From here on logits are computed for these tokens alone: the head, a third of a model's weights,
** is read only where it is needed. The others' logits are -infinity, and sampling never takes
** them; tern_session_log_prob() gives an error. NULL and 0: of all tokens again, as after
** tern_session_reset().
** Shapes:  mask [mask_size], a bit a token, token 0 lowest; at least n_tokens / 64 words, rounded
**          up. Copied.
** Errors:  TERN_INVALID_ARGUMENT (too short), TERN_BUSY. Threads: the session's. Cost: a copy.
*/
TERN_API tern_status tern_session_set_mask(tern_session* session, const uint64_t* mask,
                                           size_t mask_size);

/*
** What a session did since it was made. Passes of tern_session_step_many() count for the first one.
** Programs of any age: tern fills the fields that struct_size covers, and zeroes those beyond its
** own.
*/
typedef struct tern_session_statistics {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t n_tokens;     /* evaluated or embedded, also by calls that failed */
  uint64_t n_passes;     /* over the linear layers */
  uint64_t nanoseconds;  /* in calls that compute */
  uint64_t weight_bytes; /* read by those passes and the head, but for what single tokens skipped */
  uint64_t gates;        /* of feed-forward layers that can skip, in single tokens */
  uint64_t dead_gates;   /* of them zero: rows that were not read */
  uint64_t inputs;       /* of the layers behind them */
  uint64_t zero_inputs;  /* of them zero: columns that were not read */
  uint64_t output_inputs;      /* of attention's output projections that can skip */
  uint64_t zero_output_inputs; /* of them zero: columns that were not read */
  uint64_t n_drafted;          /* of the tokens: guessed while generating */
  uint64_t n_accepted;         /* of them: right, and part of the text */
} tern_session_statistics;

#define tern_session_statistics_init(statistics) \
  tern_options_init((statistics), sizeof(tern_session_statistics))

/* Errors: TERN_INVALID_ARGUMENT (struct_size was not set). Threads: the session's. Cost: none. */
TERN_API tern_status tern_session_get_statistics(const tern_session* session,
                                                 tern_session_statistics* statistics);

/* ------------------------------------------------------------------------------------------------
** SAMPLING
*/

/* Added to the logit of a token before everything else. This struct never grows. */
typedef struct tern_logit_bias {
  int32_t token;
  float bias; /* finite */
} tern_logit_bias;

/* The most biases that one call takes; to rule out many tokens use the mask. */
#define TERN_MAX_BIASES 512

/*
** How the next token is chosen: biases, mask, repetition penalty, temperature, top_k, top_p,
** min_p, in that order, then a draw that depends on (seed, position) alone, so the same text can
** be had again on any machine. The default is greedy: the largest logit, of equal ones the lower
** id.
*/
typedef struct tern_sampler_options {
  uint32_t struct_size;
  float temperature;    /* 0: greedy; else above 0, 1 as the model was trained */
  uint32_t top_k;       /* only the k best; 0: all */
  float top_p;          /* only the best ones that make up this share; (0, 1], 0: 1 */
  float min_p;          /* only those of at least this share of the best one's; [0, 1] */
  float repeat_penalty; /* for tokens among the last 64; above 0, 1: none, 0: 1 */
  uint64_t seed;
  const uint64_t* mask;          /* tokens allowed, a bit each, token 0 lowest; NULL: all */
  size_t mask_size;              /* in uint64_t, at least n_tokens / 64 rounded up */
  const tern_logit_bias* biases; /* [n_biases] */
  size_t n_biases;               /* at most TERN_MAX_BIASES */
} tern_sampler_options;

#define tern_sampler_options_init(options) \
  tern_options_init((options), sizeof(tern_sampler_options))

/*
** Chooses the next token from the logits. The session does not move: evaluate the token to go on.
** Errors: TERN_INVALID_ARGUMENT (no logits, an option out of range, a mask that allows nothing),
**         TERN_BUSY. Cost: a pass over the logits, and sorting unless greedy; no allocation.
*/
TERN_API tern_status tern_session_sample(tern_session* session, const tern_sampler_options* options,
                                         int32_t* token);

/* ------------------------------------------------------------------------------------------------
** GRAMMARS
**
** A grammar says what a text may be, and which tokens may come next so that it will be: a choice
** of words, a number, JSON of a schema. tern_generate_options.grammar does it all; a loop of your
** own goes
**
**     tern_grammar_mask(grammar, &options.mask, &options.mask_size);
**     tern_session_sample(session, &options, &token);
**     tern_grammar_accept(grammar, token);
**     tern_grammar_mask(grammar, &mask, &mask_size);     the place of the next token, if the head
**     tern_session_set_mask(session, mask, mask_size);   shall be read only where it is needed
**     tern_session_evaluate(session, &token, 1, NULL, 0);
**
** A grammar holds how far one text is in it, and may be used by one thread at a time, that of the
** session which generates with it among them; forks are independent. It keeps the model alive.
*/
typedef struct tern_grammar tern_grammar;

/* How a grammar is written. */
enum {
  TERN_GRAMMAR_GBNF = 0,       /* rules, such as: root ::= "yes" | "no" [0-9]{1,3}  */
  TERN_GRAMMAR_JSON_SCHEMA = 1 /* a JSON schema: the text is JSON that is valid against it */
};

/*
** GBNF is a rule a line, `root` among them, of: "text", [a-z0-9], [^"], a dot for any character,
** names of rules, ( ), |, and repetitions * + ? {2} {2,} {2,5}; escapes as in C, and \uHHHH. No rule
** may begin with itself, and all must be able to end.
** Of JSON schemas: types, properties and required, items, enum, const, anyOf, oneOf of branches
** that differ, $ref into the schema, lengths and counts, ranges of integers, dates and times;
** members come in the schema's order. What is not supported is refused by name (docs/c_api.md).
** Errors:  TERN_INVALID_ARGUMENT (no such kind), TERN_MALFORMED (`where` is the byte),
**          TERN_UNSUPPORTED, TERN_UNSUPPORTED_TOKENIZER (a model without a vocabulary),
**          TERN_OUT_OF_MEMORY.
** Owns:    *out is yours: tern_grammar_free(). Cost: a sort of the vocabulary, tens of milliseconds
**          for 128 k tokens: create once, then fork or reset.
*/
TERN_API tern_status tern_grammar_create(const tern_model* model, int32_t kind, const char* text,
                                         size_t size, tern_grammar** out);
/* NULL is ignored. No call may be using it; forks go on. */
TERN_API void tern_grammar_free(tern_grammar* grammar);

/* Another grammar, at the same place of the text. Errors: TERN_OUT_OF_MEMORY. Threads: the
** grammar's; the fork is any thread's. Cost: small. */
TERN_API tern_status tern_grammar_fork(const tern_grammar* grammar, tern_grammar** out);

/* Back to the beginning of a text. Errors: those of tern_grammar_mask(). Threads: the grammar's. */
TERN_API tern_status tern_grammar_reset(tern_grammar* grammar);

/*
** The tokens that may come next, a bit each, token 0 lowest; those that end a text where it may
** end. Valid until the grammar's next call.
** Errors:  TERN_UNSUPPORTED (the grammar is too ambiguous), TERN_OUT_OF_MEMORY; the grammar is then
**          where it was.
** Threads: the grammar's.
** Cost:    a walk over the vocabulary, some milliseconds, for a place that the text is at for the
**          first time; the last 32 are kept. May allocate.
*/
TERN_API tern_status tern_grammar_mask(tern_grammar* grammar, const uint64_t** mask,
                                       size_t* mask_size);

/*
** Takes the text's next token.
** Errors:  TERN_TOKEN_OUT_OF_RANGE, TERN_INVALID_ARGUMENT (the grammar does not allow it), those of
**          tern_grammar_mask(); the grammar is then where it was.
** Threads: the grammar's. Cost: small. May allocate; some MiB at most are kept.
*/
TERN_API tern_status tern_grammar_accept(tern_grammar* grammar, int32_t token);

/* 1 if the text may end here, else 0; 0 of NULL. Threads: the grammar's. Cost: none. */
TERN_API int32_t tern_grammar_may_end(const tern_grammar* grammar);
/* 1 if nothing may follow but an end, else 0; 1 of NULL. Threads: the grammar's. Cost: none. */
TERN_API int32_t tern_grammar_is_finished(const tern_grammar* grammar);

/* ------------------------------------------------------------------------------------------------
** GENERATING
*/

/*
** Gets the text of one more token: whole UTF-8 characters, none (size 0) if the token ends in the
** middle of one, or if a stop text may be coming. What is held back when the text ends comes last,
** with token -1: the bytes of an unfinished character, the beginning of a stop text. `text` lives
** for the call and is not ended by a zero. Return 0 to go on, anything else to stop.
*/
typedef int32_t (*tern_text_callback)(void* user, const char* text, size_t size, int32_t token);

/* Names of control tokens appear in the text. */
#define TERN_GENERATE_SHOW_SPECIAL UINT32_C(1)
/* What is generated is the start of a text (the prompt was empty). */
#define TERN_GENERATE_BEGINS_TEXT UINT32_C(2)
/* An answer to a tern_model_tokenize_chat() prompt: the chat format's stop tokens end it, too. */
#define TERN_GENERATE_CHAT UINT32_C(4)

/* A text in memory of yours, not ended by a zero. This struct never grows. */
typedef struct tern_text {
  const char* text;
  size_t size;
} tern_text;

/* The most stop texts that one call takes. */
#define TERN_MAX_STOP_TEXTS 64

/*
** Tokens can be guessed from how the text went on before, where its last ones were met already, and
** evaluated several in one pass. The tokens are the ones that there would be without; a text that
** repeats itself comes in less time, another one in about the same, since guesses stop where they
** do not pay. The most that are guessed at once:
*/
#define TERN_MAX_DRAFT 7

typedef struct tern_generate_options {
  uint32_t struct_size;
  uint32_t max_tokens;                 /* 0: 128 */
  uint32_t flags;                      /* TERN_GENERATE_ values, or-ed */
  uint32_t n_draft; /* most tokens guessed at once, at most TERN_MAX_DRAFT; 0: none */
  const tern_sampler_options* sampler; /* NULL: greedy */
  const int32_t* stop_tokens;          /* [n_stop_tokens]: end the text like the model's own */
  size_t n_stop_tokens;
  const tern_text* stop_texts; /* [n_stop_texts]: end the text before them; what could become one */
  size_t n_stop_texts;         /* is held back. At most TERN_MAX_STOP_TEXTS */
  tern_grammar* grammar;       /* what the text must be, from where the grammar is, which takes */
                               /* each token; NULL: anything. A text's beginning resets it */
} tern_generate_options;

#define tern_generate_options_init(options) \
  tern_options_init((options), sizeof(tern_generate_options))

/* Why generating stopped. New reasons may be added. */
enum {
  TERN_STOP_END = 0,          /* a token that ends a text came; it is not in the session */
  TERN_STOP_MAX_TOKENS = 1,   /* there were max_tokens */
  TERN_STOP_CONTEXT_FULL = 2, /* the last token did not fit into the session any more */
  TERN_STOP_CALLBACK = 3,     /* the callback asked for it; its token is not in the session */
  TERN_STOP_TEXT = 4,         /* a stop text came; the last token of it is not in the session */
  TERN_STOP_GRAMMAR = 5       /* the grammar lets nothing follow */
};

/*
** Continues the session's text: samples a token, hands its text to on_text, evaluates it,
** repeats. With a mask or a grammar the head is read only for tokens that may come. Where the last
** token drawn is not in the session, the session's logits stay those it was drawn from: with a mask
** or a grammar only of the tokens that could come.
** Results: *n_tokens, unless NULL: how many were handed out; *stop_reason, unless NULL: a
**          TERN_STOP_ value. Both are 0 after an error; text that was handed out before it stays
**          valid, and its tokens, but for the last, are in the session.
** Errors:  TERN_INVALID_ARGUMENT (no logits: evaluate a prompt first; no callback; a bad option;
**          a grammar of another model),
**          TERN_UNSUPPORTED_TOKENIZER, TERN_UNSUPPORTED (TERN_GENERATE_CHAT without a chat
**          format), those of tern_grammar_mask(), and those of evaluate and sample.
** Cost:    a pass over the weights a token; small allocations a call, none a token but those of
**          tern_grammar_mask().
*/
TERN_API tern_status tern_session_generate(tern_session* session,
                                           const tern_generate_options* options,
                                           tern_text_callback on_text, void* user,
                                           uint32_t* n_tokens, int32_t* stop_reason);

/* ------------------------------------------------------------------------------------------------
** LAYERS
**
** A ternary linear layer by itself, for networks that are not language models: y = W x, with
** weights of {-s, 0, +s} and inputs quantized to int8, a vector at a time. Threads: a layer holds
** scratch of its own, so products of one may not run at once; nothing looks. Products allocate
** nothing and give the same bits everywhere.
*/
typedef struct tern_layer tern_layer;

typedef struct tern_layer_options {
  uint32_t struct_size;
  uint32_t packing; /* a TERN_PACKING_ value */
  const char* isa;  /* instruction set by name; empty takes the best that runs here */
  size_t isa_size;
  const tern_allocator* allocator;
  const tern_scheduler* scheduler; /* for packing and for large products; NULL: the caller alone */
} tern_layer_options;

#define tern_layer_options_init(options) tern_options_init((options), sizeof(tern_layer_options))

/*
** Packs a layer from trits.
** Shapes:  trits [rows * cols], row by row, each -1, 0 or 1; scales [n_scales], 1 or rows of them,
**          finite and not negative; rows and cols 1 to 65536. Both are copied.
** Errors:  TERN_INVALID_ARGUMENT (where = index of a bad value), TERN_ISA_UNKNOWN,
**          TERN_ISA_UNAVAILABLE, TERN_OUT_OF_MEMORY.
** Owns:    *out is yours; give it to tern_layer_free(). Cost: a pass over the trits.
*/
TERN_API tern_status tern_layer_create(const int8_t* trits, uint32_t rows, uint32_t cols,
                                       const float* scales, size_t n_scales,
                                       const tern_layer_options* options, tern_layer** out);

/*
** The same from floats, ternarized as BitNet b1.58 does: divided by their mean magnitude, rounded,
** kept within -1 and 1. Shapes: weights [rows * cols]. Errors: also TERN_MALFORMED (not finite).
*/
TERN_API tern_status tern_layer_ternarize(const float* weights, uint32_t rows, uint32_t cols,
                                          const tern_layer_options* options, tern_layer** out);

/* Gives a layer back. No call may be using it. NULL is ignored. */
TERN_API void tern_layer_free(tern_layer* layer);

/* Outputs and inputs of a layer; 0 for NULL. Threads: any. Cost: none. */
TERN_API uint32_t tern_layer_rows(const tern_layer* layer);
TERN_API uint32_t tern_layer_cols(const tern_layer* layer);

/*
** y = W x, for n vectors.
** Shapes:  x [n * cols], y [n * rows], which do not overlap.
** Errors:  TERN_INVALID_ARGUMENT (n is 0), TERN_NON_FINITE (where = the vector; y is unspecified).
** Threads: the layer's.
** Cost:    reads the weights once for every 8 vectors; no allocation.
*/
TERN_API tern_status tern_layer_multiply(tern_layer* layer, const float* x, size_t n, float* y);

/*
** The two halves of it: vectors to codes, with the value of one unit of each vector's codes; and
** codes, any int8 values, to y[t][r] = sum of trits times codes, times (scale * steps[t]).
** Shapes:  x, codes [n * cols]; steps [n]; y [n * rows]. Errors, threads and cost: the same.
*/
TERN_API tern_status tern_layer_quantize(tern_layer* layer, const float* x, size_t n, int8_t* codes,
                                         float* steps);
TERN_API tern_status tern_layer_multiply_codes(tern_layer* layer, const int8_t* codes,
                                               const float* steps, size_t n, float* y);

#ifdef __cplusplus
}
#endif

#endif /* TERN_H_ */
