// The public masks: what they refuse, what copies and selections share, and that several threads may ask at once.
#include "doctest.h"

#include <rfseg/error.hpp>
#include <rfseg/masks.hpp>

#include <functional>
#include <string>
#include <thread>

namespace {

using rfseg::ImageSize;
using rfseg::InputError;
using rfseg::Masks;
using rfseg::Outline;
using rfseg::OutlineMode;
using rfseg::Polygon;
using rfseg::Run;
using rfseg::RunsView;

constexpr ImageSize kSize{4, 5};

/// Three masks, the second one empty, shown by four instances.
Masks three_masks() { return Masks::from_runs(kSize, {{0, 4}, {9, 10}, {8, 20}}, {0, 2, 2, 3}, {2, 0, 2, 1}); }

std::vector<Run> runs_of(const Masks& masks, int i) {
  const RunsView view = masks.runs(i);
  return {view.begin(), view.end()};
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

std::string runs_refusal(ImageSize size, const std::vector<Run>& runs, const std::vector<std::int64_t>& offsets,
                         const std::vector<std::int32_t>& mask_of_instance = {}) {
  return refusal([&] { Masks::from_runs(size, runs, offsets, mask_of_instance); });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("masks: none by default") {
  const Masks none;
  CHECK(none.size() == 0);
  CHECK(none.image_size() == ImageSize{0, 0});
  CHECK(none.iou(none).empty());
  CHECK(none.select({}).size() == 0);
  CHECK(none.columns().offsets == std::vector<std::int64_t>{0});
}

TEST_CASE("masks: an instance shows its mask") {
  const Masks masks = three_masks();
  REQUIRE(masks.size() == 4);
  CHECK(runs_of(masks, 0) == std::vector<Run>{{8, 20}});
  CHECK(runs_of(masks, 1) == std::vector<Run>{{0, 4}, {9, 10}});
  CHECK(masks.runs(2).data == masks.runs(0).data);
  CHECK(masks.runs(3).size == 0);
  CHECK(masks.area(0) == 12);
  CHECK(masks.area(3) == 0);
  CHECK(masks.bounds(0).x0 == 2);
  CHECK(masks.bounds(3).x1 == 0);
  std::vector<std::uint8_t> pixels(20, 9);
  masks.dense(1, pixels.data());
  CHECK(pixels == std::vector<std::uint8_t>{1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  CHECK(runs_of(Masks::from_dense(kSize, pixels.data(), 1), 0) == runs_of(masks, 1));
  CHECK(runs_of(Masks::from_coco(kSize, {masks.coco(3), masks.coco(1)}), 1) == runs_of(masks, 1));
}

TEST_CASE("masks: what cannot be masks is refused, and the mask is named") {
  CHECK(contains(runs_refusal(kSize, {{0, 4}, {3, 5}, {2, 2}}, {0, 1, 3}), "mask 1: run 1 [2, 2) is empty"));
  CHECK(runs_refusal(kSize, {{0, 4}, {4, 5}}, {0, 1, 2}).empty());
  CHECK(contains(runs_refusal(kSize, {{0, 21}}, {0, 1}), "mask 0: run 0 [0, 21) leaves"));
  CHECK(contains(runs_refusal(kSize, {}, {}), "offsets must begin with 0"));
  CHECK(contains(runs_refusal(kSize, {{0, 1}}, {0}), "number of runs, 1"));
  CHECK(contains(runs_refusal(kSize, {{0, 1}}, {1, 1}), "offsets must begin with 0"));
  CHECK(contains(runs_refusal(kSize, {{0, 1}}, {0, 5, -2, 1}), "offsets fall from 5 to -2 at mask 1"));
  CHECK(contains(runs_refusal(kSize, {{0, 1}}, {0, 1}, {0, 1}), "mask 1 does not exist: there are 1"));
  CHECK(contains(runs_refusal(kSize, {{0, 1}}, {0, 1}, {-1}), "mask -1 does not exist"));
  CHECK(contains(runs_refusal({1 << 16, 1 << 15}, {}, {0}), "fewer than 2^31 pixels"));
  CHECK(contains(refusal([] { Masks::from_coco(kSize, {"d0", "05"}); }), "mask 1: COCO counts cover fewer"));
  CHECK(contains(refusal([] { Masks::from_coco({-1, 2}, {}); }), "height -1"));
  CHECK(contains(refusal([] { Masks::from_dense(kSize, nullptr, -1); }), "count is -1"));
}

TEST_CASE("masks: an index outside is refused") {
  const Masks masks = three_masks();
  for (const int i : {-1, 4}) {
    const std::string expected = "instance " + std::to_string(i) + " does not exist: there are 4";
    CHECK(contains(refusal([&] { masks.runs(i); }), expected));
    CHECK(contains(refusal([&] { masks.polygons(i); }), expected));
    CHECK(contains(refusal([&] { masks.select({0, i}); }), expected));
  }
}

TEST_CASE("masks: overlap") {
  const Masks masks = three_masks();
  const double shared = 1.0 / (12 + 5 - 1);
  const std::vector<double> expected{1,      shared, 1,      0,  //
                                     shared, 1,      shared, 0,  //
                                     1,      shared, 1,      0,  //
                                     0,      0,      0,      0};
  CHECK(masks.iou(masks) == expected);
  CHECK(masks.iou(masks.select({1})) == std::vector<double>{shared, 1, shared, 0});
  CHECK(contains(refusal([&] { masks.iou(Masks()); }), "(4, 5) here and (0, 0) there"));
}

TEST_CASE("masks: columns keep only the masks in use, in order of first use") {
  const Masks masks = three_masks();
  const Masks::Columns all = masks.columns();
  CHECK(all.runs == std::vector<Run>{{8, 20}, {0, 4}, {9, 10}});
  CHECK(all.offsets == std::vector<std::int64_t>{0, 1, 3, 3});
  CHECK(all.mask_of_instance == std::vector<std::int32_t>{0, 1, 0, 2});

  const Masks::Columns some = masks.select({3, 1, 1}).columns();
  CHECK(some.runs == std::vector<Run>{{0, 4}, {9, 10}});
  CHECK(some.offsets == std::vector<std::int64_t>{0, 0, 2});
  CHECK(some.mask_of_instance == std::vector<std::int32_t>{0, 1, 1});

  const Masks back = Masks::from_runs(kSize, all.runs, all.offsets, all.mask_of_instance);
  for (int i = 0; i < masks.size(); ++i) CHECK(runs_of(back, i) == runs_of(masks, i));
}

TEST_CASE("masks: copies and selections share outlines, each mode has its own") {
  std::vector<const std::vector<Polygon>*> kept;
  Masks chosen;
  {
    const Masks masks = three_masks();
    chosen = masks.select({2, 1});
    CHECK(&masks.polygons(0) == &masks.polygons(2));
    CHECK(&masks.polygons(0) == &chosen.polygons(0));
    CHECK(&masks.polygons(1) == &Masks(masks).polygons(1));
    CHECK(&masks.polygons(0) != &masks.polygons(0, OutlineMode::tree));
    CHECK(&masks.polygons(0) != &masks.polygons(1));
    CHECK(masks.polygons(3).empty());
    kept = {&masks.polygons(0), &masks.polygons(1)};
  }
  REQUIRE(&chosen.polygons(0) == kept[0]);
  REQUIRE(kept[0]->size() == 1);
  CHECK(kept[0]->front().exterior == Outline{{2, 0}, {2, 3}, {4, 3}, {4, 0}});
  REQUIRE(kept[1]->size() == 2);
  CHECK(kept[1]->front().exterior == Outline{{2, 1}});
  CHECK(kept[1]->back().exterior == Outline{{0, 0}, {0, 3}});
}

TEST_CASE("masks: several threads ask for outlines at once") {
  const Masks masks = three_masks();
  std::vector<const std::vector<Polygon>*> first(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < first.size(); ++t) {
    threads.emplace_back([&masks, &first, t] {
      for (int i = masks.size(); i-- > 0;) first[t] = &masks.polygons(i, OutlineMode::tree);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto* polygons : first) CHECK(polygons == &masks.polygons(0, OutlineMode::tree));
}
