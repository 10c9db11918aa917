#include "network/stated_facts.hpp"

#include <rfseg/error.hpp>

#include <cmath>
#include <utility>

namespace rfseg::network {

StatedFacts::StatedFacts(const Value& object, std::string source) : object_(&object), source_(std::move(source)) {
  if (object.object() == nullptr) throw ModelError(source_ + ": expected an object, got " + short_text(object));
}

void StatedFacts::refuse(const std::string& key, const std::string& problem) const {
  const Value* value = object_->find(key);
  throw ModelError(source_ + ": " + key + (value != nullptr ? " is " + short_text(*value) : "") + ": " + problem);
}

const Value* StatedFacts::find(const std::string& key) const {
  const Value* value = object_->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> StatedFacts::text(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->text() == nullptr) refuse(key, "expected a text");
  return *value->text();
}

std::optional<bool> StatedFacts::boolean(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->boolean() == nullptr) refuse(key, "expected true or false");
  return *value->boolean();
}

std::optional<int> StatedFacts::integer(const std::string& key, int least) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<int> number = value->integer();
  if (!number || *number < least) refuse(key, "expected a whole number of at least " + std::to_string(least));
  return number;
}

std::optional<std::array<float, 3>> StatedFacts::triple(const std::string& key, bool positive) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->list() == nullptr || value->list()->size() != 3) refuse(key, "expected 3 numbers, one a channel");
  std::array<float, 3> numbers{};
  for (std::size_t c = 0; c < 3; ++c) {
    const Number* number = (*value->list())[c].number();
    if (number == nullptr) refuse(key, "expected 3 numbers, one a channel");
    numbers[c] = static_cast<float>(number->value);
    if (!std::isfinite(numbers[c])) refuse(key, "expected numbers that float32 holds");
    if (positive && !(numbers[c] > 0.0F)) refuse(key, "expected numbers above 0");
  }
  return numbers;
}

std::optional<StatedFacts> StatedFacts::inner(const std::string& key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->object() == nullptr) refuse(key, "expected an object");
  return StatedFacts(*value, source_ + ", " + key);
}

void StatedFacts::require(const std::string& key, const std::string& followed) const {
  const std::optional<std::string> said = text(key);
  if (said && *said != followed) refuse(key, "rfseg follows \"" + followed + "\" only");
}

}  // namespace rfseg::network
