// Tells the embedded kernels apart by their images, and models those that choose instances and find their masks' runs.
// The models of the resize are in kernel_models_resize.cpp.
#include "stand_ins/kernel_models.hpp"

#include "cuda/kernel_blob.hpp"
#include "network/half.hpp"
#include "raster/detections/select.hpp"
#include "raster/masks/mask_runs.hpp"
#include "stand_ins/failing_memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

extern "C" {
extern const unsigned char rfseg_kernels_begin[];
extern const unsigned char rfseg_kernels_end[];
}

namespace stand_in {

using rfseg::raster::FrameGeometry;

namespace {

std::vector<float> floats(const void* data, bool half, std::size_t count) {
  const auto* const single = static_cast<const float*>(data);
  if (!half) return {single, single + count};
  const auto* const narrow = static_cast<const std::uint16_t*>(data);
  std::vector<float> values(count);
  std::transform(narrow, narrow + count, values.begin(), rfseg::network::float_from_half);
  return values;
}

std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

abi::Kernel kernel_of(const Launch& launch) {
  const auto bytes = static_cast<std::size_t>(rfseg_kernels_end - rfseg_kernels_begin);
  const rfseg::cuda::KernelBlob blob(rfseg_kernels_begin, bytes);
  for (const rfseg::cuda::KernelImage& image : blob.images()) {
    if (image.image == launch.image) return static_cast<abi::Kernel>(image.kernel);
  }
  throw std::runtime_error("a kernel from elsewhere");
}

/// True when more pairs than the kernel ranks would take part (select.py).
bool too_many(const std::vector<float>& logits, float least_cut, int queries) {
  std::vector<float> passing;
  for (const float logit : logits) {
    if (logit >= least_cut) passing.push_back(logit);
  }
  if (passing.size() <= abi::kMaxPassing) return false;
  std::sort(passing.begin(), passing.end(), std::greater<>());
  const float last = passing[static_cast<std::size_t>(queries) - 1];
  const auto ranked = std::count_if(passing.begin(), passing.end(), [last](float logit) { return logit >= last; });
  return ranked > abi::kMaxPassing;
}

/// What the mask kernels are given for one image.
struct MaskArguments {
  MaskArguments(const Launch& launch, std::size_t image) {
    Arguments next(launch);
    const auto& frame = next.pointer<const abi::FrameParams>()[image];
    images = next.integer();
    masks = next.pointer<const std::byte>();
    half = next.integer() != 0;
    mask.height = next.integer(), mask.width = next.integer();
    masks += image * size(mask.height, mask.width) * static_cast<std::size_t>(next.integer()) * (half ? 2 : 4);
    selection = next.pointer<abi::Selection>() + image;
    there = frame.hand_back != 0;
    axis_x = at<const std::int32_t>(frame.mask_x), axis_y = at<const std::int32_t>(frame.mask_y);
    node_row = at<const std::int32_t>(frame.node_row);
    source = {static_cast<int>(frame.height), static_cast<int>(frame.width)};
    column_toggles = at<std::int32_t>(frame.column_toggles), toggles = at<std::int32_t>(frame.toggles);
    capacity = static_cast<int>(frame.toggle_capacity);
    hand_back = at<abi::HandBack>(frame.hand_back);
    host_toggles = at<std::int32_t>(frame.host_toggles);
  }
  std::vector<std::int32_t> toggles_of(int slot, const FrameGeometry& geometry) const {
    const std::size_t grid = size(mask.height, mask.width);
    const std::size_t first = grid * static_cast<std::size_t>(selection->slot_query[slot]);
    rfseg::raster::MaskRunScratch scratch;
    std::vector<rfseg::Run> runs;
    rfseg::raster::append_mask_runs(floats(masks + first * (half ? 2 : 4), half, grid).data(), geometry, scratch, runs);
    std::vector<std::int32_t> found;
    for (const rfseg::Run run : runs) found.insert(found.end(), {run.start, run.end});
    return found;
  }
  std::size_t padded_columns() const {
    return static_cast<std::size_t>(abi::column_toggles_bytes(1, source.width)) / sizeof(std::int32_t);
  }
  std::vector<std::int32_t> counts(const std::vector<std::int32_t>& found) const {
    std::vector<std::int32_t> columns(padded_columns());
    for (const std::int32_t toggle : found) ++columns[static_cast<std::size_t>(toggle / source.height)];
    return columns;
  }

  int images;
  const std::byte* masks;
  bool half, there;
  rfseg::ImageSize mask, source;
  const std::int32_t *axis_x, *axis_y, *node_row;
  abi::Selection* selection;
  std::int32_t *column_toggles, *toggles;
  int capacity;
  abi::HandBack* hand_back;
  std::int32_t* host_toggles;
};

void expect_tables(const MaskArguments& given, const FrameGeometry& geometry, Complaints& complaints) {
  expect_axis(given.axis_x, geometry.mask_x(), complaints);
  expect_axis(given.axis_y, geometry.mask_y(), complaints);
  const std::vector<std::int32_t>& i0 = geometry.mask_y().i0;
  for (int node = 0; node <= given.mask.height; ++node) {
    const auto below = std::count_if(i0.begin(), i0.end(), [node](std::int32_t row) { return row < node; });
    if (given.node_row[node] != below) complaints.push_back("node_row " + std::to_string(node) + " is wrong");
  }
}

void count_toggles(const MaskArguments& given, const FrameGeometry& geometry) {
  for (int slot = 0; slot < given.selection->header.slot_count; ++slot) {
    const std::vector<std::int32_t> found = given.toggles_of(slot, geometry);
    const std::vector<std::int32_t> columns = given.counts(found);
    std::copy(columns.begin(), columns.end(), given.column_toggles + static_cast<std::size_t>(slot) * columns.size());
    given.selection->slot_toggles[slot] += static_cast<std::int32_t>(found.size());
  }
}

void emit_toggles(const MaskArguments& given, const FrameGeometry& geometry, Complaints& complaints) {
  abi::HandBack& back = *given.hand_back;
  back.header = given.selection->header;
  int total = 0;
  for (int slot = 0; slot < back.header.slot_count; ++slot)
    back.toggle_end[slot] = total += given.selection->slot_toggles[slot];
  back.header.toggle_count = total;
  if (total > given.capacity) back.header.flags |= abi::kToggleOverflow;
  std::copy_n(given.selection->records, back.header.record_count, back.records);
  if (total > given.capacity) return;
  std::int32_t* place = given.toggles;
  for (int slot = 0; slot < back.header.slot_count; ++slot) {
    const std::vector<std::int32_t> found = given.toggles_of(slot, geometry);
    const std::vector<std::int32_t> columns = given.counts(found);
    const auto* const counted = given.column_toggles + static_cast<std::size_t>(slot) * columns.size();
    if (!std::equal(columns.begin(), columns.end(), counted)) complaints.push_back("mask_runs got other counts");
    place = std::copy(found.begin(), found.end(), place);
  }
  std::copy(given.toggles, place, given.host_toggles);
}

void select_image(const abi::FrameParams& frame, const float* logits, const float* boxes, int queries, int columns,
                  abi::Selection& selection, Complaints& complaints) {
  float least_cut = 0;
  std::memcpy(&least_cut, &frame.least_cut, sizeof least_cut);
  std::memset(&selection, 0, offsetof(abi::Selection, ranked));
  if (frame.passes == 0) {
    if (!std::isnan(least_cut)) complaints.push_back("an image that is not there has a cut");
    if (frame.hand_back != 0) complaints.push_back("an image that is not there has a hand-back");
    return;
  }
  const auto* const cuts = at<const float>(frame.logit_cut);
  const rfseg::raster::SelectionRule rule{{cuts, cuts + columns}, static_cast<int>(frame.max_detections)};
  float least = std::nanf("");
  for (const float cut : rule.logit_cut) least = std::fmin(least, cut);
  if (std::isnan(least) ? !std::isnan(least_cut) : least != least_cut) complaints.push_back("least_cut is wrong");
  const std::vector<float> all(logits, logits + size(queries, columns));
  const bool overflow = too_many(all, least_cut, queries);
  rfseg::raster::SelectScratch scratch;
  std::vector<rfseg::raster::Candidate> kept;
  if (!overflow) rfseg::raster::select(logits, queries, rule, scratch, kept);

  std::vector<std::int32_t> slot_of(static_cast<std::size_t>(queries), -1);
  for (const rfseg::raster::Candidate& candidate : kept) {
    const auto query = static_cast<std::size_t>(candidate.query);
    if (slot_of[query] < 0) {
      slot_of[query] = selection.header.slot_count++;
      selection.slot_query[slot_of[query]] = candidate.query;
    }
    const float* const box = boxes + 4 * query;
    selection.records[selection.header.record_count++] = {
        candidate.query, candidate.column, candidate.logit, box[0], box[1], box[2], box[3], slot_of[query]};
  }
  if (overflow) selection.header.flags = abi::kPassingOverflow;
}

}  // namespace

void expect_axis(const std::int32_t* table, const rfseg::raster::BilinearAxis& axis, Complaints& complaints) {
  const std::size_t bytes = axis.i0.size() * sizeof(std::int32_t);
  const void* const columns[] = {axis.i0.data(), axis.i1.data(), axis.l0.data(), axis.l1.data()};
  for (const void* column : columns) {
    if (std::memcmp(table, column, bytes) != 0) complaints.push_back("a bilinear axis is not the geometry's");
    table += axis.i0.size();
  }
}

void run_select(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  const auto* const frames = next.pointer<const abi::FrameParams>();
  const auto* const labels = next.pointer<const void>();
  const bool labels_half = next.integer() != 0;
  const auto* const dets = next.pointer<const void>();
  const bool dets_half = next.integer() != 0;
  const int queries = next.integer(), columns = next.integer();
  auto* const selections = next.pointer<abi::Selection>();
  const std::size_t images = launch.grid[0];
  const std::vector<float> logits = floats(labels, labels_half, images * size(queries, columns));
  const std::vector<float> boxes = floats(dets, dets_half, images * size(queries, 4));
  for (std::size_t image = 0; image < images; ++image)
    select_image(frames[image], logits.data() + image * size(queries, columns), boxes.data() + image * size(queries, 4),
                 queries, columns, selections[image], complaints);
}

void run_mask_pass(const Launch& launch, bool emit, Complaints& complaints) {
  const MaskArguments first(launch, 0);
  if (launch.grid[0] % abi::kMaskProgramsPerSm != 0) complaints.push_back("a mask kernel's grid is not mask_grid()");
  for (std::size_t image = 0; image < static_cast<std::size_t>(first.images); ++image) {
    const MaskArguments given(launch, image);
    if (!given.there) {
      if (given.selection->header.slot_count != 0) complaints.push_back("an image without a hand-back was selected");
      continue;
    }
    const FrameGeometry geometry(given.source, {1, 1}, given.mask, rfseg::Resize::bilinear);
    expect_tables(given, geometry, complaints);
    if (emit) emit_toggles(given, geometry, complaints);
    if (!emit) count_toggles(given, geometry);
  }
}

void install_kernels(Cuda& control, const std::shared_ptr<Complaints>& complaints) {
  const auto kernel = [&](const char* entry, std::vector<std::size_t> bytes, auto run) {
    bytes.insert(bytes.end(), {8, 8});  // Triton's hidden parameters
    control.set_kernel(entry, {bytes, [run, complaints](const Launch& launch) {
                                 const OwnMemory own;
                                 run(launch, *complaints);
                               }});
  };
  kernel("resize_first", {8, 4}, run_resize_first);
  kernel("resize_last", {8, 4, 4, 4, 8, 8, 4}, run_resize_last);
  kernel("resize_bilinear", {8, 4, 4, 4, 8, 4}, run_resize_bilinear);
  kernel("gather", {8, 8, 8, 8, 4, 4, 8}, run_gather);
  kernel("gather_rows", {8, 8, 4, 4, 8}, run_gather_rows);
  kernel("select", {8, 8, 4, 8, 4, 4, 4, 8}, run_select);
  kernel("mask_pass", {8, 4, 8, 4, 4, 4, 4, 8}, [](const Launch& launch, Complaints& wrong) {
    run_mask_pass(launch, kernel_of(launch) == abi::Kernel::mask_runs, wrong);
  });
}

}  // namespace stand_in
