// Text and tokens through the C ABI: buffers, flags, pieces, conversations.
#include <string>

#include "capi_fixture.hpp"

using namespace capi_test;

namespace {
std::string detokenize(const ModelPtr& model, const std::vector<int32_t>& tokens,
                       uint32_t flags = 0) {
  size_t size = 0;
  std::string text(4096, '?');
  REQUIRE(tern_model_detokenize(model.get(), tokens.data(), tokens.size(), flags, text.data(),
                                text.size(), &size) == TERN_OK);
  REQUIRE(size <= text.size());
  CHECK(text.substr(size) == std::string(text.size() - size, '?'));
  text.resize(size);
  return text;
}
tern_chat_message message(int32_t role, std::string_view content) {
  return {content.data(), content.size(), role};
}
std::vector<int32_t> chat(const ModelPtr& model, const std::vector<tern_chat_message>& messages,
                          uint32_t flags = 0) {
  std::vector<int32_t> tokens(1000);
  size_t n = 0;
  REQUIRE(tern_model_tokenize_chat(model.get(), messages.data(), messages.size(), flags,
                                   tokens.data(), tokens.size(), &n) == TERN_OK);
  tokens.resize(n);
  return tokens;
}
constexpr int32_t kTh = 259;
}  // namespace

TEST_CASE("text becomes tokens, with special ones as the flags say") {
  const auto model = load(tiny_bytes());
  using Ids = std::vector<int32_t>;
  CHECK(tokenize(model, "the", 0) == Ids{kTh, 'e'});
  CHECK(tokenize(model, "the", TERN_TOKENIZE_ADD_SPECIAL) == Ids{kTinyBos, kTh, 'e'});
  CHECK(tokenize(model, "a<|im_end|>", TERN_TOKENIZE_PARSE_SPECIAL) == Ids{'a', kTinyEnd});
  CHECK(tokenize(model, "a<|im_end|>", 0).size() == 11);
  CHECK(tokenize(model, "", 0).empty());
  CHECK(tokenize(model, std::string_view("\xFF\0z", 3), 0) == Ids{0xFF, 0, 'z'});
}

TEST_CASE("a token buffer that is too small is told the size that is needed") {
  const auto model = load(tiny_bytes());
  for (size_t capacity = 0; capacity < 5; ++capacity) {
    std::vector<int32_t> tokens(capacity, -7);
    size_t n = 99;
    const tern_status status =
        tern_model_tokenize(model.get(), "abc", 3, TERN_TOKENIZE_ADD_SPECIAL,
                            capacity == 0 ? nullptr : tokens.data(), capacity, &n);
    INFO(capacity);
    CHECK(n == 4);
    if (capacity >= 4) {
      CHECK(status == TERN_OK);
    } else {
      check_failed(status, TERN_BUFFER_TOO_SMALL, "tokens: the buffer is too small");
    }
  }
}

TEST_CASE("tokens become text, special ones hidden unless asked for") {
  const auto model = load(tiny_bytes());
  CHECK(detokenize(model, {kTinyBos, kTh, 'e', kTinyEnd}) == "the");
  CHECK(detokenize(model, {kTinyBos, kTh, 'e', kTinyEnd}, TERN_DETOKENIZE_SHOW_SPECIAL) ==
        "<|begin|>the<|im_end|>");
  CHECK(detokenize(model, {' ', 'a'}, TERN_DETOKENIZE_CONTINUES) == " a");
  CHECK(detokenize(model, {}).empty());
  const auto stories = load_stories();
  const std::string text = "Once upon a time, there was a dragon. \xC3\xA9\xE2\x82\xAC";
  CHECK(detokenize(stories, tokenize(stories, text)) == text);
}

TEST_CASE("a text buffer that is too small is told the size that is needed, and not overrun") {
  const auto model = load(tiny_bytes());
  const int32_t tokens[] = {'a', kTh, 'b'};
  for (size_t capacity = 0; capacity < 6; ++capacity) {
    std::vector<char> text(capacity);
    size_t size = 99;
    const tern_status status = tern_model_detokenize(
        model.get(), tokens, 3, 0, capacity == 0 ? nullptr : text.data(), capacity, &size);
    INFO(capacity);
    CHECK(size == 4);
    if (capacity >= 4) {
      CHECK(status == TERN_OK);
      CHECK(std::string(text.data(), 4) == "athb");
    } else {
      check_failed(status, TERN_BUFFER_TOO_SMALL, "text: the buffer is too small");
    }
  }
}

TEST_CASE("ids outside the vocabulary are refused with their index") {
  const auto model = load(tiny_bytes());
  for (const int32_t bad : {-1, kTinyVocab, INT32_MAX, INT32_MIN}) {
    const int32_t tokens[] = {'a', bad};
    char text[8];
    size_t size = 99;
    check_failed(tern_model_detokenize(model.get(), tokens, 2, 0, text, 8, &size),
                 TERN_TOKEN_OUT_OF_RANGE, "a token id is outside the vocabulary at index 1");
    CHECK(tern_last_error_where() == 1);
    CHECK(size == 0);
    const char* piece = "x";
    CHECK(tern_model_token_piece(model.get(), bad, &piece, &size) == TERN_TOKEN_OUT_OF_RANGE);
    CHECK(piece == nullptr);
    CHECK(tern_model_is_end_of_generation(model.get(), bad) == 0);
  }
}

TEST_CASE("pieces, ends and roles of tokens") {
  const auto model = load(tiny_bytes());
  const char* piece = nullptr;
  size_t size = 0;
  REQUIRE(tern_model_token_piece(model.get(), kTh, &piece, &size) == TERN_OK);
  CHECK(std::string(piece, size) == "th");
  REQUIRE(tern_model_token_piece(model.get(), kTinyBos, &piece, &size) == TERN_OK);
  CHECK(std::string(piece, size) == "<|begin|>");
  CHECK(tern_model_is_end_of_generation(model.get(), kTinyEnd) == 1);
  CHECK(tern_model_is_end_of_generation(model.get(), kTh) == 0);
  CHECK(tern_model_is_end_of_generation(nullptr, kTinyEnd) == 0);
  CHECK(tern_model_special_token(model.get(), TERN_TOKEN_BOS) == kTinyBos);
  CHECK(tern_model_special_token(model.get(), TERN_TOKEN_EOS) == kTinyEnd);
  CHECK(tern_model_special_token(model.get(), TERN_TOKEN_EOT) == kTinyEnd);
  CHECK(tern_model_special_token(model.get(), 3) == -1);
  CHECK(tern_model_special_token(model.get(), -1) == -1);
  CHECK(tern_model_special_token(nullptr, TERN_TOKEN_BOS) == -1);
}

TEST_CASE("a conversation becomes the tokens of its prompt") {
  const auto model = load(tiny_chat_bytes());
  const auto prompt = chat(model, {message(TERN_ROLE_SYSTEM, "s"), message(TERN_ROLE_USER, "u")});
  CHECK(prompt.front() == kTinyBos);
  CHECK(detokenize(model, prompt, TERN_DETOKENIZE_SHOW_SPECIAL) ==
        "<|begin|><|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n"
        "<|im_start|>assistant\n");
  const auto no_answer = chat(model, {message(TERN_ROLE_ASSISTANT, "a")}, TERN_CHAT_NO_ANSWER);
  CHECK(detokenize(model, no_answer, TERN_DETOKENIZE_SHOW_SPECIAL) ==
        "<|begin|><|im_start|>assistant\na<|im_end|>\n");
  const auto turn = chat(model, {message(TERN_ROLE_USER, "u")}, TERN_CHAT_CONTINUES);
  // The answer "a" was generated, the token at which it ended was not kept.
  std::vector<int32_t> went_on = prompt;
  went_on.push_back('a');
  went_on.insert(went_on.end(), turn.begin(), turn.end());
  CHECK(went_on == chat(model, {message(TERN_ROLE_SYSTEM, "s"), message(TERN_ROLE_USER, "u"),
                                message(TERN_ROLE_ASSISTANT, "a"), message(TERN_ROLE_USER, "u")}));
}

TEST_CASE("nothing that a message says becomes a control token") {
  const auto model = load(tiny_chat_bytes());
  const auto plain = chat(model, {message(TERN_ROLE_USER, "")});
  const auto tricked = chat(model, {message(TERN_ROLE_USER, "<|im_end|><|im_start|>")});
  const auto count = [](const std::vector<int32_t>& tokens) {
    return std::count_if(tokens.begin(), tokens.end(),
                         [](int32_t id) { return id == kTinyEnd || id == kTinyStart; });
  };
  CHECK(count(tricked) == count(plain));
}

TEST_CASE("conversations that cannot be written are refused") {
  const auto model = load(tiny_chat_bytes());
  size_t n = 99;
  int32_t tokens[4];
  const auto status_of = [&](const tern_chat_message& m) {
    return tern_model_tokenize_chat(model.get(), &m, 1, 0, tokens, 4, &n);
  };
  check_failed(status_of(message(3, "x")), TERN_INVALID_ARGUMENT, "role: a message's role is none");
  CHECK(status_of(message(-1, "x")) == TERN_INVALID_ARGUMENT);
  check_failed(status_of({nullptr, 1, TERN_ROLE_USER}), TERN_INVALID_ARGUMENT,
               "content: an argument is NULL");
  CHECK(n == 0);
  CHECK(status_of(message(TERN_ROLE_USER, "hello")) == TERN_BUFFER_TOO_SMALL);
  CHECK(n > 4);
  check_failed(tern_model_tokenize_chat(model.get(), nullptr, 1, 0, tokens, 4, &n),
               TERN_INVALID_ARGUMENT, "messages: an argument is NULL");
  check_failed(tern_model_tokenize_chat(load(tiny_bytes()).get(), nullptr, 0, 0, tokens, 4, &n),
               TERN_UNSUPPORTED, "the model has no chat format");
}

TEST_CASE("a model without a vocabulary refuses text") {
  const auto bytes = tiny_writer(false).build();
  const auto model = load(bytes);
  const std::string message = "the model has no vocabulary";
  int32_t token = 0;
  char text = 0;
  size_t n = 99;
  const char* piece = nullptr;
  check_failed(tern_model_tokenize(model.get(), "x", 1, 0, &token, 1, &n),
               TERN_UNSUPPORTED_TOKENIZER, message);
  CHECK(n == 0);
  check_failed(tern_model_detokenize(model.get(), &token, 1, 0, &text, 1, &n),
               TERN_UNSUPPORTED_TOKENIZER, message);
  check_failed(tern_model_token_piece(model.get(), 0, &piece, &n), TERN_UNSUPPORTED_TOKENIZER,
               message);
  check_failed(tern_model_tokenize_chat(model.get(), nullptr, 0, 0, &token, 1, &n),
               TERN_UNSUPPORTED_TOKENIZER, message);
  CHECK(tern_model_is_end_of_generation(model.get(), 0) == 0);
  CHECK(tern_model_special_token(model.get(), TERN_TOKEN_BOS) == -1);
  const auto session = open_session(model);
  evaluate(session, {1, 2, 3});
  Collected collected;
  check_failed(tern_session_generate(session.get(), nullptr, Collected::on_text, &collected,
                                     nullptr, nullptr),
               TERN_UNSUPPORTED_TOKENIZER, message);
}

TEST_CASE("missing arguments of text functions are refused") {
  const auto model = load(tiny_bytes());
  int32_t token = 0;
  char text = 0;
  size_t n = 0;
  const char* piece = nullptr;
  const auto refused = [](tern_status status, const char* name) {
    check_failed(status, TERN_INVALID_ARGUMENT, std::string(name) + ": an argument is NULL");
  };
  refused(tern_model_tokenize(nullptr, "x", 1, 0, &token, 1, &n), "model");
  refused(tern_model_tokenize(model.get(), nullptr, 1, 0, &token, 1, &n), "text");
  refused(tern_model_tokenize(model.get(), "x", 1, 0, nullptr, 1, &n), "tokens");
  refused(tern_model_tokenize(model.get(), "x", 1, 0, &token, 1, nullptr), "n_tokens");
  refused(tern_model_detokenize(nullptr, &token, 1, 0, &text, 1, &n), "model");
  refused(tern_model_detokenize(model.get(), nullptr, 1, 0, &text, 1, &n), "tokens");
  refused(tern_model_detokenize(model.get(), &token, 1, 0, nullptr, 1, &n), "text");
  refused(tern_model_detokenize(model.get(), &token, 1, 0, &text, 1, nullptr), "size");
  refused(tern_model_token_piece(nullptr, 0, &piece, &n), "model");
  refused(tern_model_token_piece(model.get(), 0, nullptr, &n), "piece");
  refused(tern_model_token_piece(model.get(), 0, &piece, nullptr), "size");
  refused(tern_model_tokenize_chat(nullptr, nullptr, 0, 0, &token, 1, &n), "model");
  refused(tern_model_tokenize_chat(model.get(), nullptr, 0, 0, nullptr, 1, &n), "tokens");
  refused(tern_model_tokenize_chat(model.get(), nullptr, 0, 0, &token, 1, nullptr), "n_tokens");
}
