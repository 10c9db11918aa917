// Reads facts out of an object that states them, each of one type, and refuses what is not followed.
#pragma once

#include "network/json.hpp"

#include <array>
#include <optional>
#include <string>

namespace rfseg::network {

/// One JSON object. A key that is absent or null states nothing.
class StatedFacts {
 public:
  /// `object` outlives this. `source`: who states it. @throws ModelError  it is no object
  StatedFacts(const Value& object, std::string source);

  [[noreturn]] void refuse(const std::string& key, const std::string& problem) const;

  const Value* find(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  std::optional<bool> boolean(const std::string& key) const;
  std::optional<int> integer(const std::string& key, int least) const;
  /// Three finite numbers that float32 holds, above 0 where `positive`.
  std::optional<std::array<float, 3>> triple(const std::string& key, bool positive) const;
  /// The object under `key`.
  std::optional<StatedFacts> inner(const std::string& key) const;

  /// @throws ModelError  `key` says another text than `followed`
  void require(const std::string& key, const std::string& followed) const;

  const Value& object() const { return *object_; }
  const std::string& source() const { return source_; }

 private:
  const Value* object_;
  std::string source_;
};

}  // namespace rfseg::network
