// StreamDecoder: token ids in, one by one; whole UTF-8 characters out.
//
// Room: text. A token may end in the middle of a character; its bytes wait for the next token. What
// comes out of all pushes and the final flush is, byte for byte, Tokenizer::decode of all tokens.
#pragma once

#include <cstring>
#include <string_view>
#include <utility>

#include "tern/base/buffer.hpp"
#include "tern/base/status.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/text/utf8.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Decodes a stream of tokens. Allocates at creation only.
/// Threads: one at a time. The tokenizer must outlive it.
class StreamDecoder {
 public:
  /// Errors: out_of_memory.
  static Result<StreamDecoder> create(const Tokenizer& tokenizer, const DecodeOptions& options,
                                      const AllocatorHooks& hooks) {
    const size_t capacity = tokenizer.vocabulary().max_piece_bytes() + kMaxHeld;
    TERN_TRY_ASSIGN(Buffer<char> buffer, Buffer<char>::create(capacity, hooks));
    return StreamDecoder(tokenizer, options, std::move(buffer));
  }

  /// Takes the next token; returns the characters that are whole now, maybe none. Bytes that cannot
  /// become a character are passed on as they are.
  /// Ensures: the view is valid until the next call. Errors: token_out_of_range; the token then
  /// counts as not pushed.
  Result<std::string_view> push(TokenId id) {
    TERN_TRY_ASSIGN(const std::string_view piece,
                    tokenizer_->visible_piece(id, options_.show_special, begins_text_));
    std::memmove(buffer_.data(), buffer_.data() + shown_, held_);
    std::memcpy(buffer_.data() + held_, piece.data(), piece.size());
    const size_t size = held_ + piece.size();
    shown_ = complete_utf8_prefix({buffer_.data(), size});
    held_ = size - shown_;
    return std::string_view(buffer_.data(), shown_);
  }

  /// The most bytes that push() and flush() give.
  size_t max_bytes() const { return buffer_.size(); }

  /// Returns the bytes of an unfinished character, if any, and starts anew.
  /// Ensures: the view is valid until the next call.
  std::string_view flush() {
    const std::string_view rest(buffer_.data() + shown_, held_);
    shown_ = 0;
    held_ = 0;
    begins_text_ = options_.begins_text;
    return rest;
  }

 private:
  static constexpr size_t kMaxHeld = 3;  // a character of 4 bytes less its last

  StreamDecoder(const Tokenizer& tokenizer, const DecodeOptions& options, Buffer<char>&& buffer)
      : tokenizer_(&tokenizer),
        options_(options),
        buffer_(std::move(buffer)),
        begins_text_(options.begins_text) {}

  const Tokenizer* tokenizer_;
  DecodeOptions options_;
  Buffer<char> buffer_;  // [max_piece_bytes + kMaxHeld]: bytes shown last, then bytes held back
  size_t shown_ = 0;
  size_t held_ = 0;
  bool begins_text_;
};

TERN_NAMESPACE_END
