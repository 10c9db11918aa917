// Scores, thresholds as logits, and the choice of instances. Knows nothing of boxes, masks or class names.
#include "raster/detections/select.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

namespace rfseg::raster {

namespace {

constexpr std::uint32_t kSignBit = 0x80000000U;

/// The float whose place is `rank` when all floats are ordered by value, -0 just below +0.
float float_at(std::uint32_t rank) {
  const std::uint32_t bits = (rank & kSignBit) != 0 ? rank ^ kSignBit : ~rank;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t rank_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

/// Writes the indices of logits >= cut to `passing` [count]; returns how many. Stores every index and advances past
/// those that pass: with no branch to predict, the scan costs the same whether few or many do.
std::ptrdiff_t gather_passing(const float* logits, std::size_t count, float cut, std::int32_t* passing) {
  std::int32_t* next = passing;
  for (std::size_t i = 0; i < count; ++i) {
    *next = static_cast<std::int32_t>(i);
    next += logits[i] >= cut ? 1 : 0;
  }
  return next - passing;
}

}  // namespace

float least_cut(const SelectionRule& rule) {
  float least = std::numeric_limits<float>::quiet_NaN();
  for (const float cut : rule.logit_cut) least = std::fmin(least, cut);
  return least;
}

float score_of_logit(float logit) { return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(logit)))); }

float logit_above(float threshold) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (!(score_of_logit(kInfinity) > threshold)) return std::numeric_limits<float>::quiet_NaN();
  std::uint32_t below = rank_of(-kInfinity);
  std::uint32_t above = rank_of(kInfinity);
  while (above - below > 1) {
    const std::uint32_t middle = below + (above - below) / 2;
    (score_of_logit(float_at(middle)) > threshold ? above : below) = middle;
  }
  return float_at(above);
}

void select(const float* logits, int queries, const SelectionRule& rule, SelectScratch& scratch,
            std::vector<Candidate>& kept) {
  kept.clear();
  const std::size_t columns = rule.logit_cut.size();
  const std::size_t pairs = static_cast<std::size_t>(queries) * columns;
  if (scratch.passing.size() < pairs) scratch.passing.resize(pairs);

  // What is below every cut is never kept, and takes no place from what is above. Dropped columns do take places.
  std::int32_t* const first = scratch.passing.data();
  const std::ptrdiff_t passed = gather_passing(logits, pairs, least_cut(rule), first);
  const std::ptrdiff_t places = std::min<std::ptrdiff_t>(passed, rule.places > 0 ? rule.places : queries);
  const auto before = [logits](std::int32_t a, std::int32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  if (places < passed) std::nth_element(first, first + places, first + passed, before);
  std::sort(first, first + places, before);

  for (const std::int32_t* index = first; index != first + places; ++index) {
    if (kept.size() == static_cast<std::size_t>(rule.max_detections)) break;
    const auto column = static_cast<std::size_t>(*index) % columns;
    if (!(logits[*index] >= rule.logit_cut[column])) continue;
    kept.push_back({*index / static_cast<std::int32_t>(columns), static_cast<std::int32_t>(column), logits[*index]});
  }
}

}  // namespace rfseg::raster
