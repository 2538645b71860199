#include "base/net/url.h"

#include <gtest/gtest.h>

#include "base/net/address.h"

namespace sightline {
namespace {

TEST(Url, parts_are_taken_apart) {
  const auto url = ParseUrl("HTTP://bob:s%40cret@Example.COM:8080/a b/ü?x=1#part");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->scheme, "http");
  EXPECT_EQ(url->credentials, "bob:s%40cret");
  EXPECT_EQ(PercentDecoded(url->credentials), "bob:s@cret");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/a%20b/%C3%BC?x=1");
  EXPECT_EQ(url->Shown(), "http://example.com:8080/a%20b/%C3%BC?x=1");
  EXPECT_EQ(url->Authority(), "example.com:8080");
}

TEST(Url, ports_and_paths_have_defaults) {
  EXPECT_EQ(ParseUrl("https://h")->port, 443);
  EXPECT_EQ(ParseUrl("rtsp://h?x")->target, "/?x");
  EXPECT_EQ(ParseUrl("http://[::1]:81/")->Authority(), "[::1]:81");
  EXPECT_EQ(ParseUrl("http://h:80/")->Shown(), "http://h/");
}

TEST(Url, other_shapes_are_refused) {
  for (const char* text :
       {"", "h", "http:/h", "ftp://h/", "file:///etc/passwd", "http://", "http://:80/", "http://h:0/",
        "http://h:65536/", "http://h:x/", "http://[::1", "http://[::1]x", "http://a b/", "http://h\r\nx/",
        "http://\xC3\xBC/", "http://[host]/", "javascript://h/", "http://h/\x01"}) {
    EXPECT_FALSE(ParseUrl(text).ok()) << text;
  }
  EXPECT_FALSE(ParseUrl("http://h/" + std::string(9000, 'a')).ok());
}

TEST(Url, no_message_shows_credentials) {
  const auto url = ParseUrl("http://bob:secret@h:99999/");
  ASSERT_FALSE(url.ok());
  EXPECT_EQ(url.status().ToString().find("secret"), std::string::npos) << url.status();
  EXPECT_EQ(WithoutAnyCredentials("open rtsp://a:b@h/x and 'http://c:d@e'"),
            "open rtsp://h/x and 'http://e'");
}

// The examples of RFC 3986, section 5.4, with the scheme that we know.
TEST(Url, references_resolve_as_in_rfc_3986) {
  const Url base = *ParseUrl("http://a/b/c/d;p?q");
  const std::pair<const char*, const char*> examples[] = {
      {"g", "http://a/b/c/g"},      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},    {"/g", "http://a/g"},
      {"//g", "http://g/"},         {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},  {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},       {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},     {"../..", "http://a/"},
      {"../../../g", "http://a/g"}, {"/./g", "http://a/g"},
      {"./../g", "http://a/b/g"},   {"g;x=1/../y", "http://a/b/c/y"},
      {"https://z/", "https://z/"}, {"g?y/../x", "http://a/b/c/g?y/../x"}};
  for (const auto& [reference, expected] : examples) {
    const auto url = ResolveReference(base, reference);
    ASSERT_TRUE(url.ok()) << reference << ": " << url.status();
    EXPECT_EQ(url->Shown(), expected) << reference;
  }
  EXPECT_FALSE(ResolveReference(base, "file:///etc/passwd").ok());
  EXPECT_FALSE(ResolveReference(base, "data:text/plain,x").ok());
}

TEST(Url, schemes_are_told_from_names) {
  EXPECT_EQ(SchemeOf("concat:a|b"), "concat");
  EXPECT_EQ(SchemeOf("HTTP://x"), "http");
  EXPECT_EQ(SchemeOf("12:30.jpg"), "");
  EXPECT_EQ(SchemeOf("a/b:c"), "");
  EXPECT_EQ(SchemeOf("picture.jpg"), "");
}

TEST(Address, zones_cover_metadata_and_embedded_addresses) {
  using enum AddressZone;
  const std::pair<const char*, AddressZone> examples[] = {{"8.8.8.8", kPublic},
                                                          {"2a00:1450::1", kPublic},
                                                          {"127.0.0.1", kLoopback},
                                                          {"127.9.9.9", kLoopback},
                                                          {"::1", kLoopback},
                                                          {"10.1.2.3", kPrivate},
                                                          {"172.31.0.1", kPrivate},
                                                          {"172.32.0.1", kPublic},
                                                          {"192.168.1.1", kPrivate},
                                                          {"100.64.0.1", kPrivate},
                                                          {"fd12::1", kPrivate},
                                                          {"169.254.169.254", kMetadata},
                                                          {"fe80::1%eth0", kRefused},
                                                          {"fd00:ec2::254", kMetadata},
                                                          {"0.0.0.0", kRefused},
                                                          {"::", kRefused},
                                                          {"::ffff:169.254.1.1", kRefused},
                                                          {"::ffff:10.0.0.1", kPrivate},
                                                          {"64:ff9b::a9fe:a9fe", kMetadata},
                                                          {"2002:7f00:1::", kLoopback},
                                                          {"224.0.0.1", kRefused},
                                                          {"255.255.255.255", kRefused},
                                                          {"100.100.100.200", kMetadata},
                                                          {"168.63.129.16", kMetadata},
                                                          {"ff02::1", kRefused},
                                                          {"nonsense", kRefused}};
  for (const auto& [address, zone] : examples) EXPECT_EQ(ZoneOf(address), zone) << address;
}

TEST(Address, a_redirect_may_lead_outwards_but_never_inwards) {
  AddressPolicy policy("camera.example");
  EXPECT_TRUE(policy.Check("camera.example", "10.0.0.5").ok());
  policy.Connected("10.0.0.5");
  EXPECT_TRUE(policy.Check("other", "10.0.0.6").ok());
  EXPECT_EQ(policy.Check("other", "127.0.0.1").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(policy.Check("other", "8.8.8.8").ok());
  policy.Connected("8.8.8.8");
  EXPECT_EQ(policy.Check("other", "10.0.0.6").code(), absl::StatusCode::kPermissionDenied);
  // Also the first host, when its name suddenly means something else.
  EXPECT_EQ(policy.Check("camera.example", "127.0.0.1").code(), absl::StatusCode::kPermissionDenied);
}

TEST(Address, link_local_is_only_for_who_wrote_exactly_that) {
  EXPECT_TRUE(AddressPolicy("169.254.7.7").Check("169.254.7.7", "169.254.7.7").ok());
  EXPECT_FALSE(AddressPolicy("169.254.7.7").Check("169.254.169.254", "169.254.169.254").ok());
  EXPECT_FALSE(AddressPolicy("camera.example").Check("camera.example", "169.254.7.7").ok());
  EXPECT_FALSE(AddressPolicy("0xA9FEA9FE").LookUp("0xA9FEA9FE").ok());
}

TEST(Address, metadata_is_for_nobody) {
  EXPECT_FALSE(AddressPolicy("169.254.169.254").Check("169.254.169.254", "169.254.169.254").ok());
  EXPECT_FALSE(AddressPolicy("fd00:ec2::254").Check("fd00:ec2::254", "fd00:ec2::254").ok());
}

}  // namespace
}  // namespace sightline
