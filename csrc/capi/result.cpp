// Columns, masks and outlines of a result through the C interface. Points into the result, copies nothing.
#include "capi/handles.hpp"

#include <algorithm>
#include <climits>
#include <type_traits>

using namespace rfseg::capi;

namespace {

// Arrays of these are handed out as arrays of C's own structs.
static_assert(sizeof(rfseg::Box) == 4 * sizeof(float) && std::is_standard_layout_v<rfseg::Box>);
static_assert(sizeof(rfseg::Run) == sizeof(rfseg_run) && offsetof(rfseg::Run, end) == offsetof(rfseg_run, end));
static_assert(sizeof(rfseg::Point) == sizeof(rfseg_point) && offsetof(rfseg::Point, y) == offsetof(rfseg_point, y));

const rfseg::Masks& masks_of(const rfseg_result* result) { return given(result, "result").result.masks; }

int index(size_t i) { return i > INT_MAX ? -1 : static_cast<int>(i); }  // which the masks refuse, with their number

const std::vector<rfseg::Polygon>& polygons_of(const rfseg_result* result, size_t i, int32_t mode) {
  if (mode < RFSEG_EXTERNAL || mode > RFSEG_EDGE)
    throw rfseg::InputError("mode is " + std::to_string(mode) + ", but it must be RFSEG_EXTERNAL to RFSEG_EDGE");
  return masks_of(result).polygons(index(i), static_cast<rfseg::OutlineMode>(mode));
}

const rfseg::Polygon& polygon_of(const rfseg_result* result, size_t i, int32_t mode, size_t polygon) {
  const std::vector<rfseg::Polygon>& polygons = polygons_of(result, i, mode);
  if (polygon >= polygons.size())
    throw rfseg::InputError("there is no polygon " + std::to_string(polygon) + ": the mask has " +
                            std::to_string(polygons.size()));
  return polygons[polygon];
}

}  // namespace

void rfseg_result_free(rfseg_result* result) { take_back(result); }

rfseg_status rfseg_result_columns(const rfseg_result* result, rfseg_columns* columns) {
  return guarded([&] {
    const rfseg::Result& r = given(result, "result").result;
    const std::size_t bytes = read(columns, rfseg_columns{}, "rfseg_columns").struct_bytes;
    rfseg_columns found{};
    found.height = r.image_size.height;
    found.width = r.image_size.width;
    found.count = r.class_id.size();
    found.xyxy = reinterpret_cast<const float*>(r.xyxy.data());
    found.confidence = r.confidence.data();
    found.class_id = r.class_id.data();
    write(columns, bytes, found);
  });
}

const char* rfseg_result_class_name(const rfseg_result* result, int32_t class_id) {
  if (result == nullptr) return nullptr;
  const auto found = result->result.names->find(class_id);
  return found == result->result.names->end() ? nullptr : found->second.c_str();
}

rfseg_status rfseg_mask_runs(const rfseg_result* result, size_t i, const rfseg_run** runs, size_t* count) {
  return guarded([&] {
    const rfseg::RunsView found = masks_of(result).runs(index(i));
    std::size_t& size = given(count, "count");
    given(runs, "runs") = reinterpret_cast<const rfseg_run*>(found.data);
    size = found.size;
  });
}

rfseg_status rfseg_mask_dense(const rfseg_result* result, size_t i, uint8_t* pixels) {
  return guarded([&] { masks_of(result).dense(index(i), &given(pixels, "pixels")); });
}

rfseg_status rfseg_mask_coco(const rfseg_result* result, size_t i, char* counts, size_t capacity, size_t* bytes) {
  return guarded([&] {
    const std::string text = masks_of(result).coco(index(i));
    if (capacity > 0) given(counts, "counts");
    if (bytes != nullptr) *bytes = text.size() + 1;
    if (capacity == 0) return;
    const std::size_t fits = std::min(text.size(), capacity - 1);
    text.copy(counts, fits);
    counts[fits] = '\0';
  });
}

rfseg_status rfseg_mask_polygons(const rfseg_result* result, size_t i, int32_t mode, size_t* polygons) {
  return guarded([&] { given(polygons, "polygons") = polygons_of(result, i, mode).size(); });
}

rfseg_status rfseg_mask_rings(const rfseg_result* result, size_t i, int32_t mode, size_t polygon, size_t* rings) {
  return guarded([&] { given(rings, "rings") = 1 + polygon_of(result, i, mode, polygon).holes.size(); });
}

rfseg_status rfseg_mask_ring(const rfseg_result* result, size_t i, int32_t mode, size_t polygon, size_t ring,
                             const rfseg_point** points, size_t* count) {
  return guarded([&] {
    const rfseg::Polygon& found = polygon_of(result, i, mode, polygon);
    if (ring > found.holes.size())
      throw rfseg::InputError("there is no ring " + std::to_string(ring) + ": the polygon has " +
                              std::to_string(found.holes.size()) + " holes");
    const rfseg::Outline& outline = ring == 0 ? found.exterior : found.holes[ring - 1];
    std::size_t& size = given(count, "count");
    given(points, "points") = reinterpret_cast<const rfseg_point*>(outline.data());
    size = outline.size();
  });
}
