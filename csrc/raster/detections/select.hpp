// Chooses which (query, class) pairs of the network's logits become instances (contract.md, 3.1 and 3.2). Thresholds
// are turned into logits once, so that a frame compares and never exponentiates what it drops.
#pragma once

#include <cstdint>
#include <vector>

namespace rfseg::raster {

/// sigmoid(logit), rounded to float32 from double; 0 and 1 at the infinities. Never decreases as the logit grows.
float score_of_logit(float logit);

/// The least logit whose score is above `threshold`; +infinity or below. NaN when no logit's is. `threshold` in [0, 1].
float logit_above(float threshold);

struct SelectionRule {
  /// [C] a pair of this column is kept when logit >= logit_cut; NaN: the column is dropped, after the places are taken.
  std::vector<float> logit_cut;
  int max_detections = 300;
  int places = 0;  ///< how many pairs are taken before the cuts (K0 of contract.md 3.1); 0: as many as queries
};

/// The least of the kept columns' cuts; NaN when every column is dropped.
float least_cut(const SelectionRule& rule);

/// One instance: a query and the class column it won.
struct Candidate {
  std::int32_t query;
  std::int32_t column;
  float logit;
};

/// Work space of select(), kept between frames.
struct SelectScratch {
  std::vector<std::int32_t> passing;  ///< [Q * C] flat indices query * C + column, those that pass first
};

/// Writes the instances of `logits` [queries, C] to `kept`, best first: the top rule.places pairs by logit descending,
/// then flat index ascending, that meet `rule`, at most rule.max_detections. -0 equals +0; NaN never passes.
void select(const float* logits, int queries, const SelectionRule& rule, SelectScratch& scratch,
            std::vector<Candidate>& kept);

}  // namespace rfseg::raster
