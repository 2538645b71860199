#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <fstream>

#include "base/file.h"
#include "base/text.h"
#include "stages/sinks/events/event_sink.h"
#include "stages/sinks/events/test_broker.h"

namespace sightline::sinks {
namespace {

using testing::HasSubstr;
using testing::Not;

class NatsTest : public testing::Test {
 protected:
  void StartServer(const std::string& configuration = "") {
    port_ = FreePort();
    std::ofstream(folder_.path() / "nats.conf")
        << fmt::format("listen: 127.0.0.1:{}\n{}", port_, configuration);
    server_.emplace(std::vector<std::string>{"nats-server", "-c", folder_.path() / "nats.conf"}, port_);
  }
  NatsOptions Options(const std::string& credentials = "", const std::string& scheme = "nats",
                      const std::string& host = "127.0.0.1") const {
    NatsOptions options;
    options.url = fmt::format("{}://{}{}:{}", scheme, credentials, host, port_);
    options.timeout_s = 3;
    return options;
  }
  EventMessage Message(const std::string& id, const std::string& camera = "gate") const {
    return {id, "dwell", camera, fmt::format("payload {}", id)};
  }

  TemporaryFolder folder_ = *TemporaryFolder::Create();
  int port_ = 0;
  std::optional<TestBroker> server_;
};

TEST_F(NatsTest, publishes_and_reconnects) {
  StartServer();
  const std::string url = fmt::format("nats://127.0.0.1:{}", port_);
  natsConnection* connection = nullptr;
  natsSubscription* subscription = nullptr;
  ASSERT_EQ(natsConnection_ConnectTo(&connection, url.c_str()), NATS_OK);
  ASSERT_EQ(natsConnection_SubscribeSync(&subscription, connection, "sightline.>"), NATS_OK);
  ASSERT_EQ(natsConnection_Flush(connection), NATS_OK);
  auto sink = *CreateNatsSink(Options());
  for (const absl::Status& status : sink->SendTogether({Message("a"), Message("b", "x.*>y")}))
    EXPECT_TRUE(status.ok()) << status;
  for (const char* subject : {"sightline.gate.dwell", "sightline.x___y.dwell"}) {
    natsMsg* message = nullptr;
    ASSERT_EQ(natsSubscription_NextMsg(&message, subscription, 5000), NATS_OK);
    EXPECT_STREQ(natsMsg_GetSubject(message), subject);
    natsMsg_Destroy(message);
  }
  natsSubscription_Destroy(subscription);
  natsConnection_Destroy(connection);
  server_->Stop();
  EXPECT_FALSE(sink->Send(Message("c")).ok());
  server_->Start();
  EXPECT_TRUE(sink->Send(Message("c")).ok());
}

TEST_F(NatsTest, tokens_and_passwords_are_used_and_never_shown) {
  StartServer("authorization: { token: 'hid/den' }\n");
  EXPECT_TRUE((*CreateNatsSink(Options("hid%2Fden@")))->Send(Message("a")).ok());
  auto wrong = *CreateNatsSink(Options("hiddenwrong@"));
  const absl::Status status = wrong->Send(Message("a"));
  EXPECT_FALSE(status.ok() || absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), Not(HasSubstr("hidden")));
  EXPECT_THAT(wrong->Shown(), Not(HasSubstr("hidden")));
  StartServer(
      "authorization: { users: [ { user: u, password: p, "
      "permissions: { publish: 'sightline.gate.>' } } ] }\n");
  auto sink = *CreateNatsSink(Options("u:p@"));
  EXPECT_TRUE(sink->Send(Message("a")).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(sink->Send(Message("b", "dock")))) << "the server says so, if late";
  EXPECT_TRUE(sink->Send(Message("c")).ok());
}

TEST_F(NatsTest, jet_stream_stores_once_what_comes_twice) {
  StartServer(fmt::format("jetstream: {{ store_dir: '{}' }}\n", (folder_.path() / "js").string()));
  NatsOptions options = Options();
  options.jet_stream = true;
  auto sink = *CreateNatsSink(options);
  const absl::Status nowhere = sink->Send(Message("a"));
  EXPECT_TRUE(absl::IsUnavailable(nowhere)) << nowhere;
  EXPECT_THAT(nowhere.message(), HasSubstr("no JetStream stream"));

  natsConnection* connection = nullptr;
  jsCtx* context = nullptr;
  ASSERT_EQ(natsConnection_ConnectTo(&connection, fmt::format("nats://127.0.0.1:{}", port_).c_str()),
            NATS_OK);
  ASSERT_EQ(natsConnection_JetStream(&context, connection, nullptr), NATS_OK);
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subjects[] = {"sightline.>"};
  config.Name = "events";
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.MaxMsgSize = 1000;
  ASSERT_EQ(js_AddStream(nullptr, context, &config, nullptr, nullptr), NATS_OK);

  std::vector<EventMessage> many;
  for (int i = 0; i < 50; ++i) many.push_back(Message(fmt::format("id{}", i)));
  for (int twice = 0; twice < 2; ++twice)
    for (const absl::Status& status : sink->SendTogether(many)) EXPECT_TRUE(status.ok()) << status;
  EventMessage large = Message("large");
  large.payload.assign(5000, 'x');
  const auto statuses = sink->SendTogether({Message("x"), large, Message("y")});
  EXPECT_TRUE(statuses[0].ok());
  EXPECT_TRUE(absl::IsInvalidArgument(statuses[1])) << statuses[1];
  EXPECT_TRUE(statuses[2].ok());
  jsStreamInfo* stream = nullptr;
  ASSERT_EQ(js_GetStreamInfo(&stream, context, "events", nullptr, nullptr), NATS_OK);
  EXPECT_EQ(stream->State.Msgs, 52u);
  jsStreamInfo_Destroy(stream);
  jsCtx_Destroy(context);
  natsConnection_Destroy(connection);
}

TEST_F(NatsTest, certificates_and_host_names_are_verified) {
  MakeCertificate(folder_.path());
  StartServer(fmt::format("tls: {{ cert_file: '{0}/cert.pem', key_file: '{0}/key.pem' }}\n",
                          folder_.path().string()));
  const auto send = [&](const std::string& scheme, const std::string& host, bool trusting) {
    NatsOptions options = Options("", scheme, host);
    if (trusting) options.authorities_file = folder_.path() / "cert.pem";
    return (*CreateNatsSink(options))->Send(Message("a"));
  };
  EXPECT_TRUE(send("tls", "localhost", true).ok());
  EXPECT_FALSE(send("tls", "127.0.0.1", true).ok());
  EXPECT_FALSE(send("tls", "localhost", false).ok());
  EXPECT_FALSE(send("nats", "localhost", false).ok());
}

TEST_F(NatsTest, server_that_hangs_costs_the_timeout_and_no_more) {
  StartServer();
  NatsOptions options = Options();
  options.timeout_s = 0.5;
  auto sink = *CreateNatsSink(options);
  ASSERT_TRUE(sink->Send(Message("a")).ok());
  server_->Freeze();
  const absl::Time begin = absl::Now();
  EXPECT_FALSE(sink->Send(Message("b")).ok());
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
}

TEST_F(NatsTest, wrong_addresses_and_subjects_are_refused_without_their_credentials) {
  for (const char* url : {"http://u:hidden@host", "nats://hidden@", "nats://u:hidden@host/path"}) {
    NatsOptions options;
    options.url = url;
    const absl::Status status = CreateNatsSink(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << url;
    EXPECT_THAT(status.message(), Not(HasSubstr("hidden")));
  }
  NatsOptions options;
  options.url = "nats://host";
  for (const char* subject : {"", "a..b", ".a", "a.>", "a b"}) {
    options.subject = subject;
    EXPECT_TRUE(absl::IsInvalidArgument(CreateNatsSink(options).status())) << subject;
  }
}

}  // namespace
}  // namespace sightline::sinks
