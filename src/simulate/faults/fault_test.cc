#include "simulate/faults/fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/status.h"

namespace sightline::simulate {
namespace {

std::string ErrorOf(std::string_view text) { return std::string(MessageOf(ParseFault(text).status())); }

void ExpectSame(const Fault& a, const Fault& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.severity, b.severity);
  EXPECT_EQ(a.at_s, b.at_s);
  EXPECT_EQ(a.ramp_s, b.ramp_s);
  EXPECT_EQ(a.for_s, b.for_s);
  EXPECT_EQ(a.region, b.region);
  EXPECT_EQ(a.seed, b.seed);
}

TEST(ParseFault, reads_every_key) {
  const auto fault =
      ParseFault("smudge:severity=4,at=20s,ramp=1500ms,for=2m,region=lower-left,seed=18446744073709551615");
  ASSERT_TRUE(fault.ok()) << fault.status();
  EXPECT_EQ(fault->kind, FaultKind::kSmudge);
  EXPECT_EQ(fault->severity, 4);
  EXPECT_EQ(fault->at_s, 20);
  EXPECT_EQ(fault->ramp_s, 1.5);
  EXPECT_EQ(fault->for_s, 120);
  EXPECT_EQ(fault->region, (Box{0, 0.5f, 0.5f, 1}));
  EXPECT_EQ(fault->seed, std::numeric_limits<uint64_t>::max());
}

TEST(ParseFault, the_name_alone_is_a_fault) {
  const auto fault = ParseFault(" fog ");
  ASSERT_TRUE(fault.ok()) << fault.status();
  Fault plain;
  plain.kind = FaultKind::kFog;
  ExpectSame(*fault, plain);
}

TEST(ParseFault, comes_back_from_its_text) {
  for (int i = 0; i < kFaultKinds; ++i) {
    Fault fault;
    fault.kind = static_cast<FaultKind>(i);
    fault.severity = 1 + i % 5;
    fault.at_s = i / 3.0;
    fault.ramp_s = i % 2 == 0 ? 0 : 1.1;
    if (i % 3 == 0) fault.for_s = 7.7 * i;
    if (i % 4 == 1) fault.region = {0.1f, 0.2f, 0.7f, 1.0f / 3 + 0.5f};
    if (i % 4 == 2) fault.region = {0.5f, 0, 1, 0.5f};
    fault.seed = static_cast<uint64_t>(i) * 0x123456789abcdefu;
    const auto again = ParseFault(ToText(fault));
    ASSERT_TRUE(again.ok()) << again.status();
    ExpectSame(*again, fault);
  }
}

TEST(ParseFault, says_what_is_wrong_and_what_is_known) {
  EXPECT_EQ(ErrorOf("smuge:severity=3"),
            "fault 'smuge:severity=3': no fault 'smuge'; did you mean 'smudge'? (known: smudge, droplets, "
            "cover, defocus, "
            "shift, rotation, freeze, loop, black, overexposure, underexposure, glare, noise, banding, "
            "compression, "
            "low_resolution, infrared, rain, fog, frame_drop, clock_jump)");
  EXPECT_EQ(ErrorOf("fog:severity=9"), "fault 'fog:severity=9': severity=9: not one of 1, 2, 3, 4, 5");
  EXPECT_EQ(ErrorOf("fog:at=soon"),
            "fault 'fog:at=soon': at=soon: not a time (20s, 1500ms, 2m, at most 1000000000s)");
  EXPECT_EQ(ErrorOf("fog:at=2s,at=3s"), "fault 'fog:at=2s,at=3s': at stands twice");
  EXPECT_EQ(ErrorOf("fog:severity"),
            "fault 'fog:severity': 'severity' is no key=value (keys: severity, at, ramp, for, region, seed)");
  EXPECT_EQ(ErrorOf("fog:severty=2"),
            "fault 'fog:severty=2': no key 'severty'; did you mean 'severity'? (known: severity, at, ramp, "
            "for, region, "
            "seed)");
  EXPECT_EQ(ErrorOf("fog:region=lower-lft"),
            "fault 'fog:region=lower-lft': no region 'lower-lft'; did you mean 'lower-left'? (known: whole, "
            "left, right, "
            "upper, lower, upper-left, upper-right, lower-left, lower-right, center)");
  EXPECT_EQ(
      ErrorOf("fog:region=0.5/0/0.2/1"),
      "fault 'fog:region=0.5/0/0.2/1': region=0.5/0/0.2/1: not a box x1/y1/x2/y2 with 0 <= x1 < x2 <= 1 and "
      "0 <= y1 < y2 <= 1");
  EXPECT_EQ(ErrorOf("fog:seed=-1"), "fault 'fog:seed=-1': seed=-1: not a whole number from 0 on");
}

TEST(ParseFault, refuses_what_no_time_or_box_can_be) {
  for (const char* text :
       {"fog:at=-1s", "fog:at=nan", "fog:at=inf", "fog:at=1e99s", "fog:ramp=", "fog:region=0/0/1",
        "fog:region=0/0/1/1/1", "fog:region=nan/0/1/1", "fog:region=0/0/2/1", "", ":", "fog:", "fog:,"}) {
    EXPECT_FALSE(ParseFault(text).ok()) << text;
  }
  EXPECT_FALSE(ParseFault(std::string_view("fog\xff:\0=", 7)).ok());
}

TEST(Kinds, each_has_a_name_and_a_sentence) {
  for (int i = 0; i < kFaultKinds; ++i) {
    EXPECT_FALSE(Name(static_cast<FaultKind>(i)).empty());
    EXPECT_TRUE(Description(static_cast<FaultKind>(i)).ends_with("."));
  }
}

TEST(StrengthAt, rises_over_the_ramp_and_ends) {
  Fault fault;
  fault.at_s = 10;
  fault.ramp_s = 4;
  fault.for_s = 20;
  EXPECT_EQ(StrengthAt(fault, 9.99), 0);
  EXPECT_EQ(StrengthAt(fault, 10), 0);
  EXPECT_EQ(StrengthAt(fault, 11), 0.25);
  EXPECT_EQ(StrengthAt(fault, 14), 1);
  EXPECT_EQ(StrengthAt(fault, 29.9), 1);
  EXPECT_EQ(StrengthAt(fault, 30), 0);
  fault.ramp_s = 0;
  EXPECT_EQ(StrengthAt(fault, 10), 1);
}

TEST(StrengthAt, stands_times_that_are_none) {
  Fault fault;
  EXPECT_EQ(StrengthAt(fault, std::numeric_limits<double>::quiet_NaN()), 0);
  EXPECT_EQ(StrengthAt(fault, -std::numeric_limits<double>::infinity()), 0);
  EXPECT_EQ(StrengthAt(fault, std::numeric_limits<double>::infinity()), 1);
  EXPECT_EQ(StrengthAt(fault, 1e300), 1);
}

}  // namespace
}  // namespace sightline::simulate
