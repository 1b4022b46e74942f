#include "daemon/status_site.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/status_page.h"
#include "tests/daemon/status_lab.h"

namespace adit::daemon {
namespace {

class Site : public testing::Test {
 protected:
  HttpAnswer get(std::string_view path, std::string_view accept = "*/*") {
    return site_.answer({"GET", path, "localhost:9586", accept});
  }

  std::shared_ptr<const Status> status_ = std::make_shared<const Status>(some_status());
  StatusSite site_{"1.2.3", [this] { return status_; }};
};

TEST_F(Site, ShowsTheFilesOfThePage) {
  for (const PageFile& file : kStatusPage) {
    const HttpAnswer answer = get(file.path);
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(answer.type, file.type);
    EXPECT_EQ(*answer.body, file.content);
    EXPECT_GT(answer.body->size(), 100u) << file.path;
  }
}

TEST_F(Site, SaysWhatShowSays) {
  const HttpAnswer answer = get("/status.json");
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.type, "application/json");
  const auto json = nlohmann::json::parse(*answer.body);
  EXPECT_EQ(json["time"], 1'700'000'123.456);
  EXPECT_EQ(json["forwards"][1]["bytes_in"], 77);
  EXPECT_EQ(json["forwards"][2]["service_is_reachable"], false);
}

TEST_F(Site, HasMetricsInTheFormatThatIsAskedFor) {
  EXPECT_EQ(get("/metrics").type, "text/plain; version=0.0.4; charset=utf-8");
  const HttpAnswer open = get("/metrics", "application/openmetrics-text");
  EXPECT_EQ(open.type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_TRUE(open.body->ends_with("\n# EOF\n"));
  EXPECT_FALSE(get("/metrics").body->ends_with("# EOF\n"));
}

TEST_F(Site, MakesATextOnceForEachStatus) {
  const auto first = get("/metrics").body;
  EXPECT_EQ(get("/metrics").body, first);
  EXPECT_NE(get("/status.json").body, first);
  EXPECT_EQ(get("/metrics").body, first);
  status_ = std::make_shared<const Status>(some_status());
  EXPECT_NE(get("/metrics").body, first);
}

TEST_F(Site, RefusesWhatItIsNotFor) {
  EXPECT_EQ(get("/nothing").status, 404u);
  EXPECT_EQ(get("").status, 404u);
  EXPECT_EQ(get("/status.json/").status, 404u);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    EXPECT_EQ(site_.answer({method, "/", "localhost", ""}).status, 405u) << method;
  }
  for (const char* host : {"example.org", "localhost.example.org", ""}) {
    EXPECT_EQ(site_.answer({"GET", "/", host, ""}).status, 421u) << host;
  }
  status_.reset();
  EXPECT_EQ(get("/metrics").status, 503u);
  EXPECT_EQ(get("/").status, 200u);
}

}  // namespace
}  // namespace adit::daemon
