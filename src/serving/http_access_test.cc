#include "serving/http_access.h"

#include <gtest/gtest.h>

#include "serving/http_message.h"

namespace sightline::serving {
namespace {

class SetClock final : public Clock {
 public:
  MonotonicTime Now() const override { return now; }
  WallTime Wall() const override { return {}; }
  MonotonicTime now{};
};

TEST(AddressRates, a_burst_of_two_seconds_then_the_rate) {
  SetClock clock;
  AddressRates rates(10, clock);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(rates.Take("10.0.0.1"), 0);
  EXPECT_NEAR(rates.Take("10.0.0.1"), 0.1, 1e-6);
  EXPECT_EQ(rates.Take("10.0.0.2"), 0);
  clock.now += std::chrono::milliseconds(101);
  EXPECT_EQ(rates.Take("10.0.0.1"), 0);
  EXPECT_GT(rates.Take("10.0.0.1"), 0);
}

TEST(AddressRates, all_of_an_ipv6_network_count_as_one) {
  EXPECT_EQ(AddressRates::KeyOf("2001:db8::1"), AddressRates::KeyOf("2001:db8::ffff:1"));
  EXPECT_NE(AddressRates::KeyOf("2001:db8::1"), AddressRates::KeyOf("2001:db8:0:1::1"));
  EXPECT_NE(AddressRates::KeyOf("10.0.0.1"), AddressRates::KeyOf("10.0.0.2"));
}

TEST(AddressRates, remembers_a_bounded_number_of_addresses) {
  SetClock clock;
  AddressRates rates(1, clock);
  for (int i = 0; i < 20'000; ++i) {
    clock.now += std::chrono::microseconds(1);
    rates.Take(std::to_string(i));
  }
  EXPECT_LE(rates.size(), AddressRates::kAddressesMax);
}

TEST(Host, names_of_this_machine) {
  for (const char* host : {"localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"})
    EXPECT_TRUE(IsLocalHost(host)) << host;
  for (const char* host : {"", "localhost.example", "notlocalhost", "10.0.0.1", "127.0.0.1.example", "::"})
    EXPECT_FALSE(IsLocalHost(host)) << host;
  EXPECT_EQ(HostOf("LocalHost.:80"), "localhost");
  EXPECT_EQ(HostOf("[::1]:80"), "::1");
  EXPECT_EQ(HostOf("[::1"), "");
}

TEST(Target, is_decoded_once) {
  const auto target = ParseTarget("/a%2520b/c%2Fd?x=1%262&y&=z&x=3#f");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->segments, (std::vector<std::string>{"a%20b", "c/d"}));
  EXPECT_EQ(target->query.at("x"), "3");
  EXPECT_EQ(target->query.at("y"), "");
  for (const char* bad : {"", "a", "*", "http://x/", "/%", "/%1", "/%1g", "/%0a", "/%c3%28"})
    EXPECT_FALSE(ParseTarget(bad).ok()) << bad;
}

TEST(Range, of_one_piece) {
  EXPECT_EQ(ParseRange("bytes=0-0", 10)->count, 1U);
  EXPECT_EQ(ParseRange("bytes=5-100", 10)->count, 5U);
  EXPECT_EQ(ParseRange("bytes=-100", 10)->first, 0U);
  EXPECT_EQ(ParseRange("bytes=-0", 10)->count, 0U);
  EXPECT_EQ(ParseRange("bytes=10-", 10)->count, 0U);
  EXPECT_EQ(ParseRange("bytes=0-", 0)->count, 0U);
  for (const char* bad : {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1-2,3-4",
                          "bytes=99999999999999999999-"})
    EXPECT_FALSE(ParseRange(bad, 10)) << bad;
}

TEST(Head, line_breaks_in_values_add_no_headers) {
  EXPECT_EQ(HeadOf(200, {{"X", "a\r\nSet-Cookie: b"}}), "HTTP/1.1 200 OK\r\nX: a  Set-Cookie: b\r\n\r\n");
}

TEST(Problem, has_all_lines_of_a_message) {
  const Response response = Problem(absl::InvalidArgumentError("camera:1: first\ncamera:2: second"));
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("\"errors\":[\"camera:1: first\",\"camera:2: second\"]"), std::string::npos);
}

}  // namespace
}  // namespace sightline::serving
