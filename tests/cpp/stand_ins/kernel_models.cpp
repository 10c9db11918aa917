// Tells the embedded kernels apart by their images, and models those that choose instances and find their masks' runs.
// The models of the resize are in kernel_models_resize.cpp.
#include "stand_ins/kernel_models.hpp"

#include "cuda/kernel_blob.hpp"
#include "network/half.hpp"
#include "raster/detections/select.hpp"
#include "raster/masks/mask_runs.hpp"

#include <kernel_abi.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

extern "C" {
extern const unsigned char rfseg_kernels_begin[];
extern const unsigned char rfseg_kernels_end[];
}

namespace stand_in {

namespace abi = rfseg::kernel_abi;
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

struct MaskArguments {
  explicit MaskArguments(const Launch& launch) {
    Arguments next(launch);
    masks = next.pointer<const std::byte>();
    half = next.integer() != 0;
    mask.height = next.integer(), mask.width = next.integer();
    axis_x = next.pointer<const std::int32_t>(), axis_y = next.pointer<const std::int32_t>();
    node_row = next.pointer<const std::int32_t>();
    source.height = next.integer(), source.width = next.integer();
    selection = next.pointer<abi::Selection>();
    nodes = next.pointer<float>();
    column_toggles = next.pointer<std::int32_t>(), toggles = next.pointer<std::int32_t>();
    capacity = next.integer();
    hand_back = next.pointer<abi::HandBack>();
    host_toggles = next.pointer<std::int32_t>();
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

  const std::byte* masks;
  bool half;
  rfseg::ImageSize mask, source;
  const std::int32_t *axis_x, *axis_y, *node_row;
  abi::Selection* selection;
  float* nodes;
  std::int32_t *column_toggles, *toggles;
  int capacity;
  abi::HandBack* hand_back;
  std::int32_t* host_toggles;
};

void expect_axis(const std::int32_t* table, const rfseg::raster::BilinearAxis& axis, Complaints& complaints) {
  const std::size_t bytes = axis.i0.size() * sizeof(std::int32_t);
  const void* const columns[] = {axis.i0.data(), axis.i1.data(), axis.l0.data(), axis.l1.data()};
  for (const void* column : columns) {
    if (std::memcmp(table, column, bytes) != 0) complaints.push_back("a mask axis is not the geometry's");
    table += axis.i0.size();
  }
}

void expect_tables(const MaskArguments& given, const FrameGeometry& geometry, Complaints& complaints) {
  expect_axis(given.axis_x, geometry.mask_x(), complaints);
  expect_axis(given.axis_y, geometry.mask_y(), complaints);
  const std::vector<std::int32_t>& i0 = geometry.mask_y().i0;
  for (int node = 0; node <= given.mask.height; ++node) {
    const auto below = std::count_if(i0.begin(), i0.end(), [node](std::int32_t row) { return row < node; });
    if (given.node_row[node] != below) complaints.push_back("node_row " + std::to_string(node) + " is wrong");
  }
}

void count_toggles(const MaskArguments& given, const FrameGeometry& geometry, unsigned programs) {
  for (int slot = 0; slot < given.selection->header.slot_count; ++slot) {
    const std::vector<std::int32_t> found = given.toggles_of(slot, geometry);
    const std::vector<std::int32_t> columns = given.counts(found);
    std::copy(columns.begin(), columns.end(), given.column_toggles + static_cast<std::size_t>(slot) * columns.size());
    given.selection->slot_toggles[slot] += static_cast<std::int32_t>(found.size());
  }
  const auto scratch = static_cast<std::size_t>(abi::mask_nodes_bytes(programs, given.mask.height));
  std::memset(given.nodes, 0xEE, scratch);  // all of it is the kernel's to write
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

}  // namespace

void run_select(const Launch& launch, Complaints& complaints) {
  Arguments next(launch);
  const auto* const labels = next.pointer<const void>();
  const bool labels_half = next.integer() != 0;
  const auto* const dets = next.pointer<const void>();
  const bool dets_half = next.integer() != 0;
  const int queries = next.integer(), columns = next.integer();
  const auto* const cuts = next.pointer<const float>();
  const auto least_cut = next.next<float>();
  rfseg::raster::SelectionRule rule{{cuts, cuts + columns}, next.integer()};
  auto& selection = *next.pointer<abi::Selection>();

  float least = std::nanf("");
  for (const float cut : rule.logit_cut) least = std::fmin(least, cut);
  if (std::isnan(least) ? !std::isnan(least_cut) : least != least_cut) complaints.push_back("min_cut is wrong");
  if (launch.grid[0] != 1) complaints.push_back("select is one program");
  const std::vector<float> logits = floats(labels, labels_half, size(queries, columns));
  const std::vector<float> boxes = floats(dets, dets_half, size(queries, 4));
  const bool overflow = too_many(logits, least_cut, queries);
  rfseg::raster::SelectScratch scratch;
  std::vector<rfseg::raster::Candidate> kept;
  if (!overflow) rfseg::raster::select(logits.data(), queries, rule, scratch, kept);

  std::memset(&selection, 0, offsetof(abi::Selection, ranked));
  std::vector<std::int32_t> slot_of(static_cast<std::size_t>(queries), -1);
  for (const rfseg::raster::Candidate& candidate : kept) {
    const auto query = static_cast<std::size_t>(candidate.query);
    if (slot_of[query] < 0) {
      slot_of[query] = selection.header.slot_count++;
      selection.slot_query[slot_of[query]] = candidate.query;
    }
    const float* const box = boxes.data() + 4 * query;
    selection.records[selection.header.record_count++] = {
        candidate.query, candidate.column, candidate.logit, box[0], box[1], box[2], box[3], slot_of[query]};
  }
  if (overflow) selection.header.flags = abi::kPassingOverflow;
}

void run_mask_pass(const Launch& launch, bool emit, Complaints& complaints) {
  const MaskArguments given(launch);
  const FrameGeometry geometry(given.source, {1, 1}, given.mask, rfseg::Resize::bilinear);
  expect_tables(given, geometry, complaints);
  if (emit) return emit_toggles(given, geometry, complaints);
  count_toggles(given, geometry, launch.grid[0]);
}

void install_kernels(Cuda& control, const std::shared_ptr<Complaints>& complaints) {
  const auto kernel = [&](const char* entry, std::vector<std::size_t> bytes, auto run) {
    bytes.insert(bytes.end(), {8, 8});  // Triton's hidden parameters
    control.set_kernel(entry, {bytes, [run, complaints](const Launch& launch) { run(launch, *complaints); }});
  };
  kernel("resize_pass", {8, 8, 8, 8, 8, 4, 4, 4, 8, 8, 4, 4}, [](const Launch& launch, Complaints& wrong) {
    const abi::Kernel number = kernel_of(launch);
    const bool final = number == abi::Kernel::resize_x_final || number == abi::Kernel::resize_y_final;
    run_resize_pass(launch, number == abi::Kernel::resize_y || number == abi::Kernel::resize_y_final, final, wrong);
  });
  kernel("resize_bilinear", {8, 8, 8, 8, 8, 8, 4, 4, 8, 4, 4}, run_resize_bilinear);
  kernel("select", {8, 4, 8, 4, 4, 4, 8, 4, 4, 8}, run_select);
  kernel("mask_pass", {8, 4, 4, 4, 8, 8, 8, 4, 4, 8, 8, 8, 8, 4, 8, 8}, [](const Launch& launch, Complaints& wrong) {
    run_mask_pass(launch, kernel_of(launch) == abi::Kernel::mask_runs, wrong);
  });
}

}  // namespace stand_in
