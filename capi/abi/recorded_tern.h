/* What cmake/record_abi.cmake recorded of capi/tern.h. Clients include that. */
#ifndef TERN_H_
#define TERN_H_
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
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
#define TERN_VERSION_MAJOR 0
#define TERN_VERSION_MINOR 1
#define TERN_VERSION_PATCH 0
#define TERN_VERSION_STRING "0.1.0"
#define TERN_VERSION_NUMBER \
  (TERN_VERSION_MAJOR * 1000000 + TERN_VERSION_MINOR * 1000 + TERN_VERSION_PATCH)
#define TERN_ABI_VERSION 1
TERN_API int32_t tern_version_number(void);
TERN_API const char* tern_version_string(void);
TERN_API int32_t tern_abi_version(void);
typedef int32_t tern_status;
enum {
  TERN_OK = 0,
  TERN_INVALID_ARGUMENT = 10,
  TERN_TOKEN_OUT_OF_RANGE = 11,
  TERN_BUFFER_TOO_SMALL = 12,
  TERN_MALFORMED = 20,
  TERN_TRUNCATED = 21,
  TERN_MISSING = 22,
  TERN_MISMATCH = 23,
  TERN_NOT_TERNARY = 24,
  TERN_UNSUPPORTED = 30,
  TERN_UNSUPPORTED_VERSION = 31,
  TERN_UNSUPPORTED_ARCHITECTURE = 32,
  TERN_UNSUPPORTED_TYPE = 33,
  TERN_UNSUPPORTED_TOKENIZER = 34,
  TERN_ISA_UNAVAILABLE = 35,
  TERN_ISA_UNKNOWN = 36,
  TERN_OUT_OF_MEMORY = 40,
  TERN_IO_ERROR = 41,
  TERN_NOT_FOUND = 42,
  TERN_CANCELLED = 50,
  TERN_CONTEXT_FULL = 51,
  TERN_BUSY = 52,
  TERN_NON_FINITE = 53,
  TERN_INTERNAL = 90
};
TERN_API const char* tern_status_name(tern_status status);
#define TERN_NOWHERE UINT64_C(0xFFFFFFFFFFFFFFFF)
TERN_API tern_status tern_last_error_status(void);
TERN_API const char* tern_last_error_message(void);
TERN_API uint64_t tern_last_error_where(void);
TERN_API const char* tern_last_error_subject(void);
typedef struct tern_allocator {
  void* user;
  void* (*allocate)(void* user, size_t bytes, size_t alignment);
  void (*release)(void* user, void* block, size_t bytes, size_t alignment);
} tern_allocator;
typedef struct tern_scheduler {
  void* user;
  void (*parallel_for)(void* user, size_t n_tasks, void (*task)(void* context, size_t index),
                       void* context);
  uint32_t n_workers;
} tern_scheduler;
typedef int32_t (*tern_progress_callback)(void* user, uint64_t done, uint64_t total);
enum { TERN_LOG_INFO = 1, TERN_LOG_WARNING = 2 };
typedef void (*tern_log_callback)(void* user, int32_t level, const char* text, size_t size);
TERN_API void tern_options_init(void* options, size_t struct_size);
TERN_API size_t tern_isa_count(void);
TERN_API const char* tern_isa_name(size_t index);
TERN_API int32_t tern_isa_is_available(size_t index);
TERN_API size_t tern_cpu_feature_count(void);
TERN_API const char* tern_cpu_feature_name(size_t index);
TERN_API int32_t tern_cpu_feature_is_present(size_t index);
typedef struct tern_model tern_model;
#define TERN_LOAD_COPY UINT32_C(1)
#define TERN_LOAD_NO_SKIPPING UINT32_C(2)
enum {
  TERN_PACKING_AUTO = 0,
  TERN_PACKING_T2 = 2,
  TERN_PACKING_T5 = 5
};
enum {
  TERN_HEAD_KEEP = 0,
  TERN_HEAD_Q6 = 1,
  TERN_HEAD_I8 = 2,
  TERN_HEAD_TWO_STAGE = 3,
  TERN_HEAD_TWO_STAGE_LIKELY = 4
};
enum { TERN_I2S_X86 = 0, TERN_I2S_ARM = 1 };
typedef struct tern_load_options {
  uint32_t struct_size;
  uint32_t flags;
  const char* isa;
  size_t isa_size;
  const tern_allocator* allocator;
  const tern_scheduler* scheduler;
  uint32_t packing;
  uint32_t head;
  uint32_t i2s_layout;
  uint32_t reserved;
  tern_progress_callback on_progress;
  void* progress_user;
  tern_log_callback on_log;
  void* log_user;
} tern_load_options;
#define tern_load_options_init(options) tern_options_init((options), sizeof(tern_load_options))
TERN_API tern_status tern_model_load_file(const char* path, size_t path_size,
                                          const tern_load_options* options, tern_model** out);
TERN_API tern_status tern_model_load_memory(const void* bytes, size_t size,
                                            const tern_load_options* options, tern_model** out);
TERN_API tern_status tern_model_load_descriptor(int descriptor, uint64_t offset, uint64_t size,
                                                const tern_load_options* options,
                                                tern_model** out);
typedef int32_t (*tern_read_callback)(void* user, uint64_t offset, void* buffer, size_t size);
TERN_API tern_status tern_model_load_reader(tern_read_callback on_read, void* user, uint64_t size,
                                            const tern_load_options* options, tern_model** out);
TERN_API void tern_model_free(tern_model* model);
TERN_API const char* tern_model_name(const tern_model* model, size_t* size);
TERN_API const char* tern_model_architecture(const tern_model* model, size_t* size);
TERN_API const char* tern_model_isa(const tern_model* model, size_t* size);
TERN_API const char* tern_model_chat_format(const tern_model* model, size_t* size);
TERN_API uint32_t tern_model_vocab_size(const tern_model* model);
TERN_API uint32_t tern_model_n_tokens(const tern_model* model);
TERN_API uint32_t tern_model_context(const tern_model* model);
TERN_API uint32_t tern_model_dim(const tern_model* model);
TERN_API uint32_t tern_model_ffn_dim(const tern_model* model);
TERN_API uint32_t tern_model_n_layers(const tern_model* model);
TERN_API uint32_t tern_model_n_heads(const tern_model* model);
TERN_API uint32_t tern_model_n_kv_heads(const tern_model* model);
TERN_API uint32_t tern_model_head_dim(const tern_model* model);
TERN_API uint32_t tern_model_embedding_size(const tern_model* model);
TERN_API uint64_t tern_model_weight_bytes(const tern_model* model);
TERN_API uint64_t tern_model_pass_bytes(const tern_model* model);
TERN_API size_t tern_model_metadata_count(const tern_model* model);
TERN_API const char* tern_model_metadata_key(const tern_model* model, size_t index, size_t* size);
TERN_API tern_status tern_model_metadata_text(const tern_model* model, const char* key,
                                              size_t key_size, const char** text, size_t* size);
TERN_API tern_status tern_model_metadata_integer(const tern_model* model, const char* key,
                                                 size_t key_size, int64_t* value);
TERN_API tern_status tern_model_metadata_real(const tern_model* model, const char* key,
                                              size_t key_size, double* value);
#define TERN_TOKENIZE_ADD_SPECIAL UINT32_C(1)
#define TERN_TOKENIZE_PARSE_SPECIAL UINT32_C(2)
TERN_API tern_status tern_model_tokenize(const tern_model* model, const char* text,
                                         size_t text_size, uint32_t flags, int32_t* tokens,
                                         size_t capacity, size_t* n_tokens);
#define TERN_DETOKENIZE_SHOW_SPECIAL UINT32_C(1)
#define TERN_DETOKENIZE_CONTINUES UINT32_C(2)
TERN_API tern_status tern_model_detokenize(const tern_model* model, const int32_t* tokens,
                                           size_t n_tokens, uint32_t flags, char* text,
                                           size_t capacity, size_t* size);
TERN_API tern_status tern_model_token_piece(const tern_model* model, int32_t token,
                                            const char** piece, size_t* size);
TERN_API int32_t tern_model_is_end_of_generation(const tern_model* model, int32_t token);
enum {
  TERN_TOKEN_BOS = 0,
  TERN_TOKEN_EOS = 1,
  TERN_TOKEN_EOT = 2
};
TERN_API int32_t tern_model_special_token(const tern_model* model, int32_t role);
enum { TERN_ROLE_SYSTEM = 0, TERN_ROLE_USER = 1, TERN_ROLE_ASSISTANT = 2 };
typedef struct tern_chat_message {
  const char* content;
  size_t content_size;
  int32_t role;
} tern_chat_message;
#define TERN_CHAT_NO_ANSWER UINT32_C(1)
#define TERN_CHAT_CONTINUES UINT32_C(2)
TERN_API tern_status tern_model_tokenize_chat(const tern_model* model,
                                              const tern_chat_message* messages, size_t n_messages,
                                              uint32_t flags, int32_t* tokens, size_t capacity,
                                              size_t* n_tokens);
typedef struct tern_session tern_session;
#define TERN_SESSION_NO_SKIPPING UINT32_C(1)
enum {
  TERN_KV_F16 = 0,
  TERN_KV_I8 = 1,
  TERN_KV_I4 = 2,
  TERN_KV_I3 = 3,
  TERN_KV_F32 = 4
};
typedef struct tern_session_options {
  uint32_t struct_size;
  uint32_t context;
  uint32_t batch;
  uint32_t n_threads;
  const tern_allocator* allocator;
  const tern_scheduler* scheduler;
  uint32_t kv;
  uint32_t flags;
} tern_session_options;
#define tern_session_options_init(options) \
  tern_options_init((options), sizeof(tern_session_options))
TERN_API tern_status tern_session_create(const tern_model* model,
                                         const tern_session_options* options, tern_session** out);
TERN_API tern_status tern_session_memory(const tern_model* model,
                                         const tern_session_options* options, uint64_t* bytes);
TERN_API tern_status tern_session_fork(tern_session* session, tern_session** out);
TERN_API tern_status tern_session_save(tern_session* session, void* buffer, size_t capacity,
                                       size_t* size);
TERN_API tern_status tern_session_restore(tern_session* session, const void* bytes, size_t size);
TERN_API void tern_session_free(tern_session* session);
TERN_API uint32_t tern_session_position(const tern_session* session);
TERN_API uint32_t tern_session_capacity(const tern_session* session);
TERN_API tern_status tern_session_tokens(const tern_session* session, const int32_t** tokens,
                                         size_t* n_tokens);
TERN_API tern_status tern_session_truncate(tern_session* session, uint32_t position);
TERN_API tern_status tern_session_reset(tern_session* session);
TERN_API void tern_session_cancel(tern_session* session);
TERN_API tern_status tern_session_evaluate(tern_session* session, const int32_t* tokens,
                                           size_t n_tokens, float* all_logits,
                                           size_t all_logits_size);
TERN_API tern_status tern_session_evaluate_best(tern_session* session, const int32_t* tokens,
                                                size_t n_tokens, uint32_t n_best);
TERN_API tern_status tern_session_begin(tern_session* session, const int32_t* tokens,
                                        size_t n_tokens);
TERN_API tern_status tern_session_step(tern_session* session, uint64_t budget_us, int32_t* done);
TERN_API tern_status tern_session_step_many(tern_session* const* sessions, const int32_t* tokens,
                                            size_t n_sessions);
TERN_API tern_status tern_session_logits(const tern_session* session, const float** logits,
                                         size_t* n_logits);
TERN_API tern_status tern_session_log_prob(tern_session* session, int32_t token, double* log_prob);
TERN_API tern_status tern_session_embed(tern_session* session, const int32_t* tokens,
                                        size_t n_tokens, const size_t* lengths, size_t n_texts,
                                        float* embeddings, size_t embeddings_size);
TERN_API tern_status tern_session_features(const tern_session* session, const float** features,
                                           size_t* n_features);
TERN_API tern_status tern_session_score(tern_session* session, const int32_t* tokens,
                                        size_t n_tokens, double* log_probs);
TERN_API tern_status tern_session_set_mask(tern_session* session, const uint64_t* mask,
                                           size_t mask_size);
typedef struct tern_session_statistics {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t n_tokens;
  uint64_t n_passes;
  uint64_t nanoseconds;
  uint64_t weight_bytes;
  uint64_t gates;
  uint64_t dead_gates;
  uint64_t inputs;
  uint64_t zero_inputs;
  uint64_t output_inputs;
  uint64_t zero_output_inputs;
  uint64_t n_drafted;
  uint64_t n_accepted;
} tern_session_statistics;
#define tern_session_statistics_init(statistics) \
  tern_options_init((statistics), sizeof(tern_session_statistics))
TERN_API tern_status tern_session_get_statistics(const tern_session* session,
                                                 tern_session_statistics* statistics);
typedef struct tern_logit_bias {
  int32_t token;
  float bias;
} tern_logit_bias;
#define TERN_MAX_BIASES 512
typedef struct tern_sampler_options {
  uint32_t struct_size;
  float temperature;
  uint32_t top_k;
  float top_p;
  float min_p;
  float repeat_penalty;
  uint64_t seed;
  const uint64_t* mask;
  size_t mask_size;
  const tern_logit_bias* biases;
  size_t n_biases;
} tern_sampler_options;
#define tern_sampler_options_init(options) \
  tern_options_init((options), sizeof(tern_sampler_options))
TERN_API tern_status tern_session_sample(tern_session* session, const tern_sampler_options* options,
                                         int32_t* token);
typedef struct tern_grammar tern_grammar;
enum {
  TERN_GRAMMAR_GBNF = 0,
  TERN_GRAMMAR_JSON_SCHEMA = 1
};
TERN_API tern_status tern_grammar_create(const tern_model* model, int32_t kind, const char* text,
                                         size_t size, tern_grammar** out);
TERN_API void tern_grammar_free(tern_grammar* grammar);
TERN_API tern_status tern_grammar_fork(const tern_grammar* grammar, tern_grammar** out);
TERN_API tern_status tern_grammar_reset(tern_grammar* grammar);
TERN_API tern_status tern_grammar_mask(tern_grammar* grammar, const uint64_t** mask,
                                       size_t* mask_size);
TERN_API tern_status tern_grammar_accept(tern_grammar* grammar, int32_t token);
TERN_API int32_t tern_grammar_may_end(const tern_grammar* grammar);
TERN_API int32_t tern_grammar_is_finished(const tern_grammar* grammar);
typedef int32_t (*tern_text_callback)(void* user, const char* text, size_t size, int32_t token);
#define TERN_GENERATE_SHOW_SPECIAL UINT32_C(1)
#define TERN_GENERATE_BEGINS_TEXT UINT32_C(2)
#define TERN_GENERATE_CHAT UINT32_C(4)
typedef struct tern_text {
  const char* text;
  size_t size;
} tern_text;
#define TERN_MAX_STOP_TEXTS 64
#define TERN_MAX_DRAFT 7
typedef struct tern_generate_options {
  uint32_t struct_size;
  uint32_t max_tokens;
  uint32_t flags;
  uint32_t n_draft;
  const tern_sampler_options* sampler;
  const int32_t* stop_tokens;
  size_t n_stop_tokens;
  const tern_text* stop_texts;
  size_t n_stop_texts;
  tern_grammar* grammar;
} tern_generate_options;
#define tern_generate_options_init(options) \
  tern_options_init((options), sizeof(tern_generate_options))
enum {
  TERN_STOP_END = 0,
  TERN_STOP_MAX_TOKENS = 1,
  TERN_STOP_CONTEXT_FULL = 2,
  TERN_STOP_CALLBACK = 3,
  TERN_STOP_TEXT = 4,
  TERN_STOP_GRAMMAR = 5
};
TERN_API tern_status tern_session_generate(tern_session* session,
                                           const tern_generate_options* options,
                                           tern_text_callback on_text, void* user,
                                           uint32_t* n_tokens, int32_t* stop_reason);
typedef struct tern_layer tern_layer;
typedef struct tern_layer_options {
  uint32_t struct_size;
  uint32_t packing;
  const char* isa;
  size_t isa_size;
  const tern_allocator* allocator;
  const tern_scheduler* scheduler;
} tern_layer_options;
#define tern_layer_options_init(options) tern_options_init((options), sizeof(tern_layer_options))
TERN_API tern_status tern_layer_create(const int8_t* trits, uint32_t rows, uint32_t cols,
                                       const float* scales, size_t n_scales,
                                       const tern_layer_options* options, tern_layer** out);
TERN_API tern_status tern_layer_ternarize(const float* weights, uint32_t rows, uint32_t cols,
                                          const tern_layer_options* options, tern_layer** out);
TERN_API void tern_layer_free(tern_layer* layer);
TERN_API uint32_t tern_layer_rows(const tern_layer* layer);
TERN_API uint32_t tern_layer_cols(const tern_layer* layer);
TERN_API tern_status tern_layer_multiply(tern_layer* layer, const float* x, size_t n, float* y);
TERN_API tern_status tern_layer_quantize(tern_layer* layer, const float* x, size_t n, int8_t* codes,
                                         float* steps);
TERN_API tern_status tern_layer_multiply_codes(tern_layer* layer, const int8_t* codes,
                                               const float* steps, size_t n, float* y);
#ifdef __cplusplus
}
#endif
#endif
