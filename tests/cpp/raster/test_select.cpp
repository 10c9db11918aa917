// Scores, thresholds as logits, and selection, against contract.md 3.1 and 3.2 taken word by word.
#include "doctest.h"
#include "raster/detections/select.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace {

using rfseg::raster::Candidate;
using rfseg::raster::logit_above;
using rfseg::raster::score_of_logit;
using rfseg::raster::select;
using rfseg::raster::SelectionRule;
using rfseg::raster::SelectScratch;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const std::vector<float> kThresholds = {0.0F,
                                        1e-45F,
                                        1e-30F,
                                        0.001F,
                                        0.1F,
                                        0.25F,
                                        0.3F,
                                        0.4F,
                                        0.5F,
                                        0.51F,
                                        0.75F,
                                        0.999F,
                                        0.999999881F,
                                        std::nextafter(0.5F, 0.0F),
                                        0.05F,
                                        std::nextafter(0.5F, 1.0F),
                                        std::nextafter(1.0F, 0.0F)};

/// All pairs in order, NaN last; the first `places` of them; then columns and scores; then max_detections.
std::vector<Candidate> select_by_the_contract(const std::vector<float>& logits, int places, int columns,
                                              const std::vector<float>& threshold_of_column, int max_detections) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](int index) { return logits[static_cast<std::size_t>(index)]; };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    if (std::isnan(logit(a)) || std::isnan(logit(b))) return !std::isnan(logit(a)) && std::isnan(logit(b));
    return logit(a) > logit(b);
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(places)));
  std::vector<Candidate> kept;
  for (const int index : order) {
    const float threshold = threshold_of_column[static_cast<std::size_t>(index % columns)];
    if (std::isnan(threshold) || !(score_of_logit(logit(index)) > threshold)) continue;
    if (static_cast<int>(kept.size()) < max_detections)
      kept.push_back({index / columns, index % columns, logit(index)});
  }
  return kept;
}

SelectionRule rule_of(const std::vector<float>& threshold_of_column, int max_detections) {
  SelectionRule rule;
  for (const float threshold : threshold_of_column) {
    rule.logit_cut.push_back(std::isnan(threshold) ? kNaN : logit_above(threshold));
  }
  rule.max_detections = max_detections;
  return rule;
}

bool same(const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Candidate& left, const Candidate& right) {
    return left.query == right.query && left.column == right.column && left.logit == right.logit;
  });
}

float random_logit(std::mt19937& random, bool hostile) {
  constexpr float kHostile[] = {0.0F, -0.0F, kInfinity, -kInfinity, kNaN, 100.0F, -104.0F, 1e-45F, -1e-45F};
  if (hostile && random() % 4 == 0) return kHostile[random() % std::size(kHostile)];
  if (random() % 8 == 0) return logit_above(kThresholds[random() % kThresholds.size()]);  // just passes
  // Quarter steps: a few hundred pairs hold many exact ties.
  return std::round(std::normal_distribution<float>(-1.0F, 2.0F)(random) * 4.0F) / 4.0F;
}

}  // namespace

TEST_CASE("score_of_logit at its ends and in the middle") {
  CHECK(score_of_logit(kInfinity) == 1.0F);
  CHECK(score_of_logit(-kInfinity) == 0.0F);
  CHECK(score_of_logit(0.0F) == 0.5F);
  CHECK(score_of_logit(-0.0F) == 0.5F);
  CHECK(score_of_logit(std::numeric_limits<float>::max()) == 1.0F);
  CHECK(score_of_logit(std::numeric_limits<float>::lowest()) == 0.0F);
  CHECK(std::isnan(score_of_logit(kNaN)));
}

TEST_CASE("score_of_logit never decreases") {
  int compared = 0;
  int fell = 0;
  float before = 0.0F;
  for (double logit = -110.0; logit < 25.0; logit += 0.0001) {
    const float score = score_of_logit(static_cast<float>(logit));
    fell += score < before ? 1 : 0;
    before = score;
    ++compared;
  }
  for (const float threshold : kThresholds) {  // neighbouring floats around every cut
    float logit = logit_above(threshold);
    for (int step = 0; step < 2000; ++step) logit = std::nextafter(logit, -kInfinity);
    for (int step = 0; step < 4000; ++step) {
      const float next = std::nextafter(logit, kInfinity);
      fell += score_of_logit(next) < score_of_logit(logit) ? 1 : 0;
      logit = next;
      ++compared;
    }
  }
  CHECK(compared > 1'400'000);
  CHECK(fell == 0);
}

TEST_CASE("logit_above is the least logit whose score is above the threshold") {
  for (const float threshold : kThresholds) {
    CAPTURE(threshold);
    const float cut = logit_above(threshold);
    CHECK(score_of_logit(cut) > threshold);
    CHECK_FALSE(score_of_logit(std::nextafter(cut, -kInfinity)) > threshold);
  }
  CHECK(logit_above(0.5F) > 0.0F);
  CHECK(std::isnan(logit_above(1.0F)));
}

TEST_CASE("select equals the contract on random logits") {
  std::mt19937 random(20);
  SelectScratch scratch;  // shared, as between frames
  std::vector<Candidate> kept;
  int instances = 0;
  int cut_by_places = 0;
  for (int round = 0; round < 600; ++round) {
    const int queries = 1 + static_cast<int>(random() % 40);
    const int columns = 1 + static_cast<int>(random() % 12);
    std::vector<float> logits(static_cast<std::size_t>(queries * columns));
    for (float& logit : logits) logit = random_logit(random, round % 2 == 1);
    std::vector<float> thresholds(static_cast<std::size_t>(columns));
    for (float& threshold : thresholds)
      threshold = random() % 5 == 0 ? kNaN : kThresholds[random() % kThresholds.size()];
    const int max_detections = random() % 3 == 0 ? 1 + static_cast<int>(random() % 5) : 300;
    SelectionRule rule = rule_of(thresholds, max_detections);
    const bool stated = random() % 2 == 0;  // fewer, as many or more than queries or even pairs
    if (stated) rule.places = 1 + static_cast<int>(random() % 60);
    const int places = stated ? rule.places : queries;

    select(logits.data(), queries, rule, scratch, kept);
    REQUIRE(same(kept, select_by_the_contract(logits, places, columns, thresholds, max_detections)));
    instances += static_cast<int>(kept.size());
    cut_by_places += static_cast<int>(kept.size()) == places ? 1 : 0;
  }
  CHECK(instances > 2000);
  CHECK(cut_by_places > 20);
}

TEST_CASE("select: one query wins five classes, and dropped columns take places") {
  const std::vector<float> logits = {9,  8,  7,  6,  5,  -9, -9, -9, -9, -9, -9, -9, -9,
                                     -9, -9, -9, -9, -9, -9, -9, -9, -9, -9, -9, -9};
  SelectScratch scratch;
  std::vector<Candidate> kept;
  select(logits.data(), 5, rule_of({0.5F, 0.5F, 0.5F, 0.5F, 0.5F}, 300), scratch, kept);
  REQUIRE(kept.size() == 5);
  for (const Candidate& candidate : kept) CHECK(candidate.query == 0);

  // Two queries, so two places; both go to the dropped column.
  const std::vector<float> dropped_first = {1, 9, 2, 8};
  select(dropped_first.data(), 2, rule_of({0.5F, kNaN}, 300), scratch, kept);
  CHECK(kept.empty());
}

TEST_CASE("select: every column dropped or no threshold reachable leaves nothing") {
  const std::vector<float> logits = {kInfinity, 3, kNaN, -1};
  SelectScratch scratch;
  std::vector<Candidate> kept;
  select(logits.data(), 2, rule_of({kNaN, kNaN}, 300), scratch, kept);
  CHECK(kept.empty());
  select(logits.data(), 2, rule_of({1.0F, 1.0F}, 300), scratch, kept);
  CHECK(kept.empty());
}

TEST_CASE("select: -0 and +0 tie and keep the flat order") {
  const std::vector<float> logits = {-0.0F, 0.0F, 0.0F, -0.0F};
  SelectScratch scratch;
  std::vector<Candidate> kept;
  select(logits.data(), 4, rule_of({0.25F}, 300), scratch, kept);
  REQUIRE(kept.size() == 4);
  for (int i = 0; i < 4; ++i) CHECK(kept[static_cast<std::size_t>(i)].query == i);
}
