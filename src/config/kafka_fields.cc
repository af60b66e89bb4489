#include "config/field.h"
#include "config/properties.h"

namespace outrigger::config {
namespace {

void ReadProperty(Properties& properties, const Spot& spot, Reading& reading) {
  const std::string* text = reading.Scalar(spot);
  if (const auto reserved = FindReserved(spot.name)) {
    reading.Error(spot, "is reserved: it " + reserved->reason,
                  reserved->instead.empty() ? "remove it" : "use `" + reserved->instead + "`");
  } else if (text != nullptr) {
    properties.emplace(std::string(spot.name), reading.TextOf(spot));
  }
}

bool IsSecret(const std::string& property) {
  return property.find("password") != property.npos || property.find("secret") != property.npos;
}

Json ShowProperties(const Properties& properties) {
  Json shown = Json::object();
  for (const auto& [name, text] : properties) shown[name] = IsSecret(name) ? "***" : text.value;
  return shown;
}

// librdkafka's names → scalars.
Field<Kafka> PropertiesField(Properties Kafka::*member, std::string doc) {
  const Mapping<Properties> mapping = {
      .fields = {},
      .open = {MakeField<Properties>("", "A librdkafka property.",
                                     {{"type", {"string", "number", "boolean"}}}, ReadProperty,
                                     ShowProperties)},
      .also = {{"propertyNames", {{"not", {{"pattern", ReservedPattern()}}}}}}};
  return Object("properties", member, std::move(doc), mapping);
}

bool Sasl(const Security& security) { return security.protocol.starts_with("SASL_"); }
bool Tls(const Security& security) { return security.protocol.ends_with("SSL"); }

void CheckPair(const Spot& spot, const std::string& name, Reading& reading) {
  const bool plain = spot.Has(name);
  const bool file = spot.Has(name + "File");
  if (plain && file) {
    reading.Error(spot.At(name + "File"), "is set together with `" + name + "`",
                  "keep one of the two");
  } else if (!plain && !file) {
    reading.Error(spot.At(name), "is missing, and so is `" + name + "File`",
                  spot.At("mechanism").value.text + " needs one of the two");
  }
}

// Credentials that the protocol would leave unused mean that something else was intended.
void CheckUnused(const Spot& spot, const std::vector<std::string>& names,
                 const std::string& protocols, Reading& reading) {
  for (const auto& name : names)
    if (spot.Has(name))
      reading.Error(spot.At(name), "has no effect with this protocol",
                    "set `protocol` to " + protocols);
}

void CheckSecurity(Security& security, const Spot& spot, Reading& reading) {
  if (!Sasl(security)) {
    CheckUnused(spot, {"mechanism", "username", "usernameFile", "password", "passwordFile"},
                "SASL_SSL or SASL_PLAINTEXT", reading);
  } else if (!spot.Has("mechanism")) {
    reading.Error(spot.At("mechanism"), "is missing",
                  security.protocol + " needs PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
  } else {
    CheckPair(spot, "username", reading);
    CheckPair(spot, "password", reading);
  }
  if (!Tls(security))
    CheckUnused(spot, {"caFile", "certFile", "keyFile", "keyPasswordFile"}, "SASL_SSL or SSL",
                reading);
  if (spot.Has("certFile") && !spot.Has("keyFile"))
    reading.Error(spot.At("certFile"), "needs `keyFile`", "name the certificate's private key");
  for (const char* name : {"keyFile", "keyPasswordFile"}) {
    const std::string needed = std::string(name) == "keyFile" ? "certFile" : "keyFile";
    if (spot.Has(name) && !spot.Has(needed))
      reading.Error(spot.At(name), "needs `" + needed + "`",
                    "name that file too, or remove this one");
  }
  if (spot.Has("password"))
    reading.Warn(spot.At("password"), "the password is in this file",
                 "put it into a secret, and set `passwordFile`");
  if (security.protocol == "SASL_PLAINTEXT" && security.mechanism == "PLAIN")
    reading.Warn(spot.At("protocol"), "sends the password over the network unencrypted",
                 "use SASL_SSL");
}

// CheckSecurity as a schema: a change of one needs a change of the other.
Json SecurityRules() {
  const auto required = [](const char* name) {
    return Json{{"type", "object"}, {"required", {name}}};
  };
  const auto any_of = [&](std::initializer_list<const char*> names) {
    Json list = Json::array();
    for (const char* name : names) list.push_back(required(name));
    return Json{{"anyOf", list}};
  };
  const auto one_of = [&](const char* name, const char* file) {
    return Json{{"oneOf", {required(name), required(file)}}};
  };
  const auto where_protocol = [](std::vector<std::string> protocols) {
    Json rule = {{"type", "object"}, {"required", {"protocol"}}};
    rule["properties"]["protocol"]["enum"] = std::move(protocols);
    return rule;
  };
  const Json sasl = {
      {"if", where_protocol({"SASL_PLAINTEXT", "SASL_SSL"})},
      {"then",
       {{"required", {"mechanism"}},
        {"allOf", {one_of("username", "usernameFile"), one_of("password", "passwordFile")}}}},
      {"else",
       {{"not", any_of({"mechanism", "username", "usernameFile", "password", "passwordFile"})}}}};
  const Json tls = {
      {"if", where_protocol({"SSL", "SASL_SSL"})},
      {"else", {{"not", any_of({"caFile", "certFile", "keyFile", "keyPasswordFile"})}}}};
  return {
      {"allOf", {sasl, tls}},
      {"dependencies",
       {{"certFile", {"keyFile"}}, {"keyFile", {"certFile"}}, {"keyPasswordFile", {"keyFile"}}}}};
}

// `embedded` alone, or any number of addresses.
Json BrokersSchema() {
  return {{"type", "array"},
          {"minItems", 1},
          {"items", BrokerSchema()},
          {"if", {{"contains", {{"const", "embedded"}}}}},
          {"then", {{"maxItems", 1}}}};
}

Choices<std::string> Mechanisms() {
  Choices<std::string> mechanisms = Words({"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"});
  mechanisms.later = {"OAUTHBEARER"};
  mechanisms.later_why = "this version can't request tokens";
  return mechanisms;
}

Mapping<Security> SecurityFields() {
  return {
      .fields =
          {
              Choice("protocol", &Security::protocol,
                     Words({"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}),
                     "How the connection to the brokers is protected."),
              Choice("mechanism", &Security::mechanism, Mechanisms(),
                     "The SASL mechanism. OAUTHBEARER is not in this version."),
              TextField("username", &Security::username, "The SASL user."),
              FileField("usernameFile", &Security::username_file, "A file with the SASL user."),
              TextField("password", &Security::password,
                        "The SASL password. Use `passwordFile` instead: `check` warns about a "
                        "password in the file.")
                  .Secret(),
              FileField("passwordFile", &Security::password_file, "A file with the SASL password."),
              FileField("caFile", &Security::ca_file,
                        "The CA certificates (PEM) that the brokers are verified with. Default: "
                        "those of the system."),
              FileField("certFile", &Security::cert_file,
                        "The client certificate (PEM), for mutual TLS."),
              FileField("keyFile", &Security::key_file, "The private key (PEM) of `certFile`."),
              FileField("keyPasswordFile", &Security::key_password_file,
                        "A file with the password of `keyFile`."),
          },
      .check = CheckSecurity,
      .also = SecurityRules()};
}

void CheckKafka(Kafka& kafka, const Spot& spot, Reading& reading) {
  const Spot brokers = spot.At("brokers");
  if (spot.Has("brokers") && kafka.brokers.empty())
    reading.Error(brokers, "is empty", "name at least one broker, like `[kafka:9092]`");
  if (kafka.embedded()) return;
  for (size_t i = 0; i < brokers.value.items.size() && i < kafka.brokers.size(); ++i) {
    const YamlNode& item = *brokers.value.items[i];
    const Spot at{item, item.line, item.column, brokers.path + "[" + std::to_string(i) + "]"};
    if (kafka.brokers[i] == "embedded")
      reading.Error(at, "`embedded` can't be combined with other brokers",
                    "keep `embedded` alone, or remove it");
    else if (!kafka.brokers[i].empty())
      if (const auto wrong = CheckBroker(kafka.brokers[i])) reading.Error(at, *wrong);
  }
}

}  // namespace

Field<Config> KafkaField() {
  return Object(
      "kafka", &Config::kafka, "The Kafka cluster, and the identity of this client.",
      Mapping<Kafka>{
          .fields =
              {
                  Boolean("enabled", &Kafka::enabled,
                          "false: events are checked, counted and dropped on purpose. "
                          "KAFKA_ENABLED overrides it."),
                  Texts("brokers", &Kafka::brokers,
                        "The brokers to connect to first, host:port each. `[embedded]` is a broker "
                        "inside the process, for trying out. KAFKA_BROKERS (a comma-separated "
                        "list) overrides it.")
                      .Also(BrokersSchema()),
                  TextField("clientId", &Kafka::client_id,
                            "The client id, and the `source` of events without one. "
                            "KAFKA_CLIENT_ID overrides it.",
                            CheckPrintable)
                      .Also(PrintableSchema()),
                  TextField("groupId", &Kafka::group_id,
                            "The prefix of consumer groups. KAFKA_GROUP_ID overrides it.",
                            CheckPrintable)
                      .Also(PrintableSchema()),
                  Boolean("required", &Kafka::required,
                          "true: exit 1 within 10 s, with the reason, when Kafka can't be reached "
                          "at the start. REQUIRE_KAFKA overrides it."),
                  Object("security", &Kafka::security, "TLS and SASL.", SecurityFields()),
                  PropertiesField(
                      &Kafka::properties,
                      "librdkafka properties of every client. Properties that carry a promise are "
                      "refused. `enable.metrics.push` (KIP-714) is false unless it is set here."),
                  Group("producer", "Of the producer only.",
                        Mapping<Kafka>{
                            .fields = {PropertiesField(&Kafka::producer_properties,
                                                       "librdkafka properties of the producer.")}}),
                  Group("consumer", "Of the consumers only.",
                        Mapping<Kafka>{.fields = {PropertiesField(
                                           &Kafka::consumer_properties,
                                           "librdkafka properties of the consumers.")}}),
              },
          .check = CheckKafka});
}

}  // namespace outrigger::config
