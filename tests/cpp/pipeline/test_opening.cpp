// What is refused when an engine is opened because of what the file beside it states.
#include "network/sha256.hpp"
#include "pipeline/gpu_stand.hpp"

#include <rfseg/error.hpp>

using namespace rfseg;
using stand_in::contains;
using stand_in::GpuStand;
using stand_in::thrown;

namespace {

void state_places(const GpuStand& stand, int places) {
  const std::string engine = (stand.folder.path / "model.engine").string();
  stand.folder.write("model.engine.rfdetr.json",
                     R"({"artifact_sha256": ")" + network::sha256_of_file(engine) +
                         R"(", "metadata": {"schema_version": 1, "task": "segment", "num_select": )" +
                         std::to_string(places) + "}}");
}

}  // namespace

TEST_CASE("opening: fewer places than queries need stages host") {
  GpuStand stand;
  stand.rule.places = 2;  // of 6 queries
  state_places(stand, 2);
  const std::string said = thrown<BackendError>([&] { stand.segmenter(2); });
  CHECK(contains(said, "states 2 places for 6 queries, which stages \"device\" cannot give: pass stages \"host\""));

  Segmenter on_host = stand.segmenter(2, "auto", Stages::host);
  int cut = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const stand_in::Frame frame({20, 30}, seed);
    const Result result = on_host.infer(frame.view), right = stand.expected(frame.view);
    stand.expect_equal(result, right);
    cut += right.size() == 2 ? 1 : 0;
  }
  CHECK(cut > 0);
}

TEST_CASE("opening: as many places as queries are what the device gives") {
  GpuStand stand;
  state_places(stand, 6);
  const stand_in::Frame frame({20, 30}, 1);
  Segmenter segmenter = stand.segmenter(2);
  stand.expect_equal(segmenter.infer(frame.view), stand.expected(frame.view));
  CHECK(stand.instances > 0);
}
