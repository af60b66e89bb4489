#include <gtest/gtest.h>

#include "event/attributes.h"
#include "event/base64.h"
#include "event/cloudevents.h"

namespace outrigger::event {
namespace {

base::Result<Event> Envelope(std::string_view body) {
  JsonReader json;
  return FromEnvelope(json, body);
}

base::Result<Event> Structured(std::string_view body) {
  JsonReader json;
  return FromStructured(json, body);
}

// The error, or "" when there is none.
std::string EnvelopeProblem(std::string_view body) {
  auto event = Envelope(body);
  return event ? std::string() : event.error().message;
}

std::string StructuredProblem(std::string_view body) {
  auto event = Structured(body);
  return event ? std::string() : event.error().message;
}

TEST(Envelope, MapsEveryMember) {
  const auto event =
      Envelope(R"({"type":"user.registered","data":{"userId":"42"},"id":"a-1","version":"2.0",)"
               R"("source":"/lms","subject":"user/42","time":"2026-11-23T20:15:30Z","key":"42",)"
               R"("headers":{"tenant":"blue","empty":"","none":null}})");
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_EQ(event->type, "user.registered");
  EXPECT_EQ(event->data, R"({"userId":"42"})");
  EXPECT_EQ(event->id, "a-1");
  EXPECT_EQ(event->version, "2.0");
  EXPECT_EQ(event->source, "/lms");
  EXPECT_EQ(event->subject, "user/42");
  EXPECT_EQ(event->time, "2026-11-23T20:15:30Z");
  EXPECT_EQ(event->key, "42");
  EXPECT_EQ(event->headers,
            (std::vector<Header>{{"tenant", "blue"}, {"empty", ""}, {"none", std::nullopt}}));
  EXPECT_EQ(event->datacontenttype, "application/json");
  EXPECT_TRUE(event->data_is_json);
  EXPECT_TRUE(event->extensions.empty());
}

TEST(Envelope, OnlyTypeIsNeeded) {
  const auto event = Envelope(R"({"type":"a"})");
  ASSERT_TRUE(event.has_value());
  EXPECT_FALSE(event->data.has_value());
  EXPECT_EQ(event->datacontenttype, "");
  EXPECT_FALSE(event->key.has_value());
  for (const char* body : {"{}", R"({"data":1})", R"({"type":""})", R"({"type":null})",
                           R"({"type":1})", R"({"type":["a"]})"})
    EXPECT_NE(EnvelopeProblem(body).find("type"), std::string::npos) << body;
}

TEST(Envelope, NeverChangesAByteOfData) {
  for (const std::string_view data :
       {"1.0", "1.50E+3", "-0", "12345678901234567890123", "1e400", "\"\\u00e9\\/\xC3\xA9\"",
        "{ \"b\" : 1 ,\t\"a\" :\n[ 1 , 2 ] }", "null", "true", "\"\"", "[]",
        R"({"b":1,"a":2,"b":3,"n":{"x":1,"x":2}})", R"({"s":"}],\"{["})"}) {
    const auto event = Envelope("\n{ \"type\" : \"a\" , \"data\" :  " + std::string(data) +
                                " \t, \"id\":\"1\" } ");
    ASSERT_TRUE(event.has_value()) << data << ": " << event.error().message;
    EXPECT_EQ(*event->data, data);
    EXPECT_EQ(event->id, "1");
  }
}

TEST(Envelope, RefusesALeadingZeroInsideDataAndAllElseThatIsNotJson) {
  for (const char* body :
       {R"({"type":"a","data":{"n":01}})", R"({"type":"a","data":tru})",
        R"({"type":"a","data":[1,2}})", R"({"type":"a","data":[1,]})",
        R"({"type":"a","data":{"a" 1}})", R"({"type":"a","data":"\x"})",
        R"({"type":"a","data":1/**/})", R"({"type":"a"}{"type":"b"})", R"({"type":"a"},)",
        R"({"type":"a","data":"\ud800"})", "{\"type\":\"a\",\"data\":\"\xFF\"}", "", "{", "[]",
        "\"a\"", R"({'type':"a"})", R"({"type":"a",})"})
    EXPECT_NE(EnvelopeProblem(body), "") << body;
  std::string deep(127, '[');
  EXPECT_EQ(EnvelopeProblem(R"({"type":"a","data":)" + deep + std::string(127, ']') + "}"), "");
  deep += '[';
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","data":)" + deep + std::string(128, ']') + "}"), "");
}

TEST(Envelope, RefusesARepeatedNameHoweverItIsWritten) {
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","type":"a"})"), "");
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","data":1,"\u0064ata":2})"), "");
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","headers":{"h":"1","h":"2"}})"), "");
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","headers":{"h":"1","\u0068":null}})"), "");
}

TEST(Envelope, ReadsANameThatIsWrittenWithEscapes) {
  EXPECT_EQ(Envelope(R"({"\u0074ype":"a\u002eb"})")->type, "a.b");
}

TEST(Envelope, AnUnknownMemberIsRefusedWithTheNearestKnownName) {
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","Data":1})").find("did you mean \"data\""),
            std::string::npos);
  EXPECT_NE(EnvelopeProblem(R"({"tpye":"a"})").find("did you mean \"type\""), std::string::npos);
  EXPECT_NE(EnvelopeProblem(R"({"type":"a","zzzzz":1})").find("known are type, data"),
            std::string::npos);
}

TEST(Envelope, AKeyOrVersionThatIsANumberOrBooleanIsItsRawToken) {
  EXPECT_EQ(Envelope(R"({"type":"a","key":42})")->key, "42");
  EXPECT_EQ(Envelope(R"({"type":"a","key":4.20e1})")->key, "4.20e1");
  EXPECT_EQ(Envelope(R"({"type":"a","key":false})")->key, "false");
  EXPECT_EQ(Envelope(R"({"type":"a","key":""})")->key, "");
  EXPECT_EQ(Envelope(R"({"type":"a","key":null})")->key, std::nullopt);
  EXPECT_EQ(Envelope(R"({"type":"a","version":1.0})")->version, "1.0");
  EXPECT_EQ(Envelope(R"({"type":"a","version":null})")->version, "");
  for (const char* body : {R"({"type":"a","key":{}})", R"({"type":"a","key":[1]})",
                           R"({"type":"a","version":[]})", R"({"type":"a","version":{}})"})
    EXPECT_NE(EnvelopeProblem(body), "") << body;
}

TEST(Envelope, TextsMustBeTexts) {
  for (const char* name : {"id", "source", "subject", "time"}) {
    const std::string begin = std::string(R"({"type":"a",")") + name + "\":";
    EXPECT_EQ(EnvelopeProblem(begin + "null}"), "") << name;
    for (const char* value : {"1", "true", "{}", "[]", "\"\""})
      EXPECT_NE(EnvelopeProblem(begin + value + "}").find(name), std::string::npos)
          << name << value;
  }
}

TEST(Envelope, HeadersAreStringsAndNeverOutriggersOwn) {
  EXPECT_EQ(EnvelopeProblem(R"({"type":"a","headers":null})"), "");
  EXPECT_EQ(EnvelopeProblem(R"({"type":"a","headers":{}})"), "");
  for (const char* headers :
       {"[]", "\"a\"", "1", R"({"a":1})", R"({"a":true})", R"({"a":{}})", R"({"":"a"})",
        R"({"ce_id":"a"})", R"({"CE_Type":"a"})", R"({"outrigger-x":"a"})",
        R"({"Outrigger-Error-Reason":"a"})", R"({"content-type":"a"})", R"({"Content-Type":"a"})",
        R"({"\u0063e_id":"a"})"})
    EXPECT_NE(EnvelopeProblem(std::string(R"({"type":"a","headers":)") + headers + "}"), "")
        << headers;
  EXPECT_EQ(EnvelopeProblem(R"({"type":"a","headers":{"ce":"a","outrigger":"b"}})"), "");
}

TEST(Envelope, ManyHeadersAreReadInShortTime) {
  std::string body = R"({"type":"a","headers":{"h":"")";
  for (int i = 0; i < 100'000; ++i) body += ",\"" + std::to_string(i) + "\":\"\"";
  EXPECT_EQ(Envelope(body + "}}")->headers.size(), 100'001U);
  EXPECT_NE(EnvelopeProblem(body + ",\"7\":null}}").find("\"7\""), std::string::npos);
}

TEST(Structured, MapsEveryAttribute) {
  const auto event = Structured(
      R"({"specversion":"1.0","type":"t","id":"1","source":"/s","subject":"u","version":"3",)"
      R"("time":"2026-11-23T20:15:30Z","dataschema":"urn:a","datacontenttype":"text/json",)"
      R"("partitionkey":"p","traceparent":"00-1","anumber":7,"aflag":true,"none":null,)"
      R"("data": { "a" : 1.0 } })");
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_EQ(event->type, "t");
  EXPECT_EQ(event->id, "1");
  EXPECT_EQ(event->source, "/s");
  EXPECT_EQ(event->subject, "u");
  EXPECT_EQ(event->version, "3");
  EXPECT_EQ(event->time, "2026-11-23T20:15:30Z");
  EXPECT_EQ(event->dataschema, "urn:a");
  EXPECT_EQ(event->datacontenttype, "text/json");
  EXPECT_EQ(event->Extension("partitionkey"), "p");
  EXPECT_EQ(event->Extension("traceparent"), "00-1");
  EXPECT_EQ(event->Extension("anumber"), "7");
  EXPECT_EQ(event->Extension("aflag"), "true");
  EXPECT_EQ(event->extensions.size(), 4U);
  EXPECT_EQ(*event->data, R"({ "a" : 1.0 })");
  EXPECT_TRUE(event->data_is_json);
}

TEST(Structured, SpecversionMustBe10) {
  EXPECT_EQ(StructuredProblem(R"({"specversion":"1.0","type":"t"})"), "");
  EXPECT_NE(StructuredProblem(R"({"type":"t"})").find("specversion"), std::string::npos);
  EXPECT_NE(StructuredProblem(R"({"specversion":"0.3","type":"t"})").find("0.3"),
            std::string::npos);
  EXPECT_NE(StructuredProblem(R"({"specversion":null,"type":"t"})"), "");
}

TEST(Structured, DataIsJsonUnlessItsTypeSaysOtherwise) {
  const auto json = Structured(R"({"specversion":"1.0","type":"t","data":"text"})");
  EXPECT_EQ(json->datacontenttype, "application/json");
  EXPECT_EQ(*json->data, "\"text\"");
  const auto plain = Structured(
      R"({"specversion":"1.0","type":"t","datacontenttype":"text/xml","data":"<a b=\"c\"/>"})");
  EXPECT_EQ(*plain->data, "<a b=\"c\"/>");
  EXPECT_FALSE(plain->data_is_json);
  const auto own = Structured(
      R"({"specversion":"1.0","type":"t","datacontenttype":"application/vnd.a+json","data":"t"})");
  EXPECT_EQ(*own->data, "\"t\"");
  EXPECT_TRUE(own->data_is_json);
}

TEST(Structured, DecodesBase64DataToItsBytes) {
  const auto event = Structured(
      R"({"specversion":"1.0","type":"t","datacontenttype":"image/png","data_base64":"AP8BgA=="})");
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_EQ(*event->data, std::string("\x00\xFF\x01\x80", 4));
  EXPECT_FALSE(event->data_is_json);
}

TEST(Structured, Base64DataThatSaysItIsJsonMustBeJson) {
  constexpr char kBegin[] =
      R"({"specversion":"1.0","type":"t","datacontenttype":"application/json","data_base64":")";
  const auto event = Structured(kBegin + EncodeBase64("{ \"a\":1.0}") + "\"}");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(*event->data, "{ \"a\":1.0}");
  EXPECT_TRUE(event->data_is_json);
  EXPECT_NE(StructuredProblem(kBegin + EncodeBase64("{\"n\":01}") + "\"}"), "");
}

TEST(Structured, ANullOfOneFormOfDataLeavesTheOther) {
  constexpr char kBegin[] = R"({"specversion":"1.0","type":"t",)";
  EXPECT_EQ(Structured(kBegin + std::string(R"("data":1,"data_base64":null})"))->data, "1");
  EXPECT_EQ(Structured(kBegin + std::string(R"("data_base64":"QQ==","data":null})"))->data, "A");
  EXPECT_EQ(Structured(kBegin + std::string(R"("data_base64":null})"))->data, std::nullopt);
  EXPECT_EQ(Structured(kBegin + std::string(R"("data":null})"))->data, "null");
  EXPECT_EQ(Structured(kBegin + std::string(R"("data":null,"data_base64":null})"))->data, "null");
}

TEST(Structured, RefusesBadBase64AndBothFormsOfData) {
  for (const char* data : {"\"A\"", "\"AA=A\"", "\"AA==AA==\"", "\"A-_=\"", "\"AB==\"", "1", "true",
                           "\"AAA\"", "\"====\"", "\"AAAA \""})
    EXPECT_NE(StructuredProblem(std::string(R"({"specversion":"1.0","type":"t","data_base64":)") +
                                data + "}"),
              "")
        << data;
  EXPECT_NE(StructuredProblem(R"({"specversion":"1.0","type":"t","data":1,"data_base64":"AAAA"})"),
            "");
}

TEST(Structured, RefusesRepeatedAndIllegalNamesAndEmptyAttributes) {
  for (const char* member : {R"("type":"u")", R"("a":"1","a":"2")", R"("Upper":"1")",
                             R"("with-hyphen":"1")", R"("a_b":"1")", R"("":"1")", R"("id":"")",
                             R"("subject":"")", R"("a":[1])", R"("a":{})", R"("id":{})"})
    EXPECT_NE(StructuredProblem(std::string(R"({"specversion":"1.0","type":"t",)") + member + "}"),
              "")
        << member;
}

TEST(Batch, SplitsIntoTheItemsBytes) {
  JsonReader json;
  const auto items = SplitBatch(json, R"( [ {"a" : 1} , {"b":[{}],"c":"]"} ] )");
  ASSERT_TRUE(items.has_value());
  EXPECT_EQ(*items, (std::vector<std::string_view>{R"({"a" : 1})", R"({"b":[{}],"c":"]"})"}));
  EXPECT_TRUE(SplitBatch(json, "[]")->empty());
}

TEST(Batch, HasABoundInItems) {
  JsonReader json;
  std::string body = "[{}";
  for (size_t n = 1; n < kMaxBatch; ++n) body += ",{}";
  EXPECT_EQ(SplitBatch(json, body + "]")->size(), kMaxBatch);
  const auto more = SplitBatch(json, body + ",{}]");
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, base::Code::kTooLarge);
  EXPECT_NE(more.error().message.find("16384"), std::string::npos) << more.error().message;
}

TEST(Batch, IsCheckedStrictlyAsAWholeAndHoldsOnlyObjects) {
  JsonReader json;
  for (const char* body : {"", "{}", "[{},]", "[{}", "[{}]{}", "[{} {}]", R"([{"a":{"n":01}}])",
                           "[{},1]", "[[]]", "[null]", "[\"{}\"]"})
    EXPECT_FALSE(SplitBatch(json, body).has_value()) << body;
  const auto wrong = SplitBatch(json, "[{},{},3]");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_NE(wrong.error().message.find("item 2"), std::string::npos) << wrong.error().message;
}

TEST(Attributes, ACompleteEventHasTypeIdSourceAndAnRfc3339Time) {
  Event event;
  event.type = "t";
  event.id = "1";
  event.source = "/s";
  EXPECT_TRUE(CheckAttributes(event).has_value());
  event.time = "2026-11-23T20:15:30.123+02:00";
  EXPECT_TRUE(CheckAttributes(event).has_value());
  event.time = "yesterday";
  EXPECT_NE(CheckAttributes(event).error().message.find("yesterday"), std::string::npos);
  event.time.clear();
  event.extensions = {{"Bad", "1"}};
  EXPECT_FALSE(CheckAttributes(event).has_value());
  event.extensions.clear();
  for (std::string Event::*part : {&Event::type, &Event::id, &Event::source}) {
    Event without = event;
    (without.*part).clear();
    EXPECT_FALSE(CheckAttributes(without).has_value());
  }
}

TEST(Attributes, AreUnicodeWithoutControlCharactersWhereTheyArePublished) {
  const auto wrong_in = [](std::string Event::*attribute, const std::string& text) {
    Event event;
    event.*attribute = text;
    const auto legal = CheckAttributeValues(event);
    return legal ? std::string() : legal.error().message;
  };
  for (const std::string text : {"", "plain ~", "caf\xC3\xA9", "\xC2\xA0", "\xEE\x80\x80",
                                 "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"})
    EXPECT_EQ(wrong_in(&Event::subject, text), "") << text;
  for (const auto& text :
       {std::string("a\0", 2), std::string("\n"), std::string("a\tb"), std::string("\x7F"),
        std::string("\xC2\x80"), std::string("\xC2\x9F"), std::string("i\xFF"), std::string("\xC3"),
        std::string("\xED\xA0\x80"), std::string("\xEF\xB7\x90"), std::string("\xEF\xBF\xBF"),
        std::string("\xF0\x9F\xBF\xBE")})
    EXPECT_NE(wrong_in(&Event::subject, text).find("\"subject\""), std::string::npos) << text;
  for (const auto& [name, attribute] : {std::pair{"id", &Event::id},
                                        {"source", &Event::source},
                                        {"type", &Event::type},
                                        {"version", &Event::version},
                                        {"datacontenttype", &Event::datacontenttype},
                                        {"dataschema", &Event::dataschema}})
    EXPECT_NE(wrong_in(attribute, "\r\n").find(name), std::string::npos) << name;
  Event event;
  event.extensions = {{"good", "1"}, {"own", "\xFF"}};
  EXPECT_NE(CheckAttributeValues(event).error().message.find("\"own\""), std::string::npos);
}

// What is wrong with the values of a structured CloudEvent when it is published.
std::string ValueProblem(const std::string& member) {
  auto event =
      Structured(R"({"specversion":"1.0","id":"1","source":"/s","type":"t",)" + member + "}");
  EXPECT_TRUE(event.has_value()) << member << ": " << event.error().message;
  const auto legal = CheckAttributeValues(*event);
  return legal ? std::string() : legal.error().message;
}

TEST(Attributes, ThoseOfCloudEventsItselfAreStringsWhereTheyArePublished) {
  for (const std::string name :
       {"id", "source", "type", "subject", "dataschema", "datacontenttype", "time"}) {
    const std::string type = name == "type" ? "" : R"("type":"t",)";
    for (const char* value : {"5", "false", "1.5"}) {
      const auto event =
          Structured(R"({"specversion":"1.0",)" + type + "\"" + name + "\":" + value + "}");
      ASSERT_TRUE(event.has_value()) << event.error().message;
      const auto legal = CheckAttributeValues(*event);
      ASSERT_FALSE(legal.has_value()) << name << value;
      EXPECT_EQ(legal.error().message, "the attribute \"" + name + "\" is " + value +
                                           " without quotes, and must be a string");
    }
  }
  EXPECT_NE(StructuredProblem(R"({"specversion":1.0,"type":"t"})").find("specversion"),
            std::string::npos);
}

TEST(Attributes, ANumberIsAnIntegerOf32BitsWhereItIsPublished) {
  for (const char* value : {"0", "-0", "-1", "2147483647", "-2147483648", "true", "false", "null"})
    for (const char* name : {"own", "version"})
      EXPECT_EQ(ValueProblem("\"" + std::string(name) + "\":" + value), "") << value;
  for (const char* value :
       {"1.5", "1.0", "1e3", "1E2", "2147483648", "-2147483649", "12345678901234567890", "1e400"})
    for (const char* name : {"own", "version"})
      EXPECT_NE(ValueProblem("\"" + std::string(name) + "\":" + value)
                    .find("write \"" + std::string(value) + "\""),
                std::string::npos)
          << value;
}

TEST(Attributes, ATimeIsMillisecondsSince1970) {
  EXPECT_EQ(UnixMillis("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(UnixMillis("1970-01-01T00:00:00.001Z"), 1);
  EXPECT_EQ(UnixMillis("2026-11-23T20:15:30.25Z"), 1'795'464'930'250);
  EXPECT_EQ(UnixMillis("2026-11-23T20:15:30.123456789012345Z"), 1'795'464'930'123);
  EXPECT_EQ(UnixMillis("2026-11-23t22:15:30.1+02:00"), 1'795'464'930'100);
  EXPECT_EQ(UnixMillis("2026-11-23T14:45:30-05:30"), 1'795'464'930'000);
  EXPECT_EQ(UnixMillis("2016-12-31T23:59:60Z"), UnixMillis("2017-01-01T00:00:00z"));
  EXPECT_EQ(UnixMillis("1969-12-31T23:59:59Z"), -1000);
  EXPECT_LT(UnixMillis("0001-01-01T00:00:00Z"), 0);
  EXPECT_GT(UnixMillis("9999-12-31T23:59:59Z"), 0);
}

TEST(Base64, GoesThereAndBackForEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
  EXPECT_EQ(EncodeBase64("f"), "Zg==");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8=");
  EXPECT_EQ(EncodeBase64("foo"), "Zm9v");
}

TEST(MediaType, JsonIsKnownWithParametersAndSuffixes) {
  for (const char* type :
       {"application/json", "Application/JSON", "application/json;charset=utf-8",
        "application/json ; a=b", "\tapplication/json", "text/json", "model/json", "x-own/JSON",
        "application/vnd.a+json", "image/Svg+JSON; q=1", "application/cloudevents+json"})
    EXPECT_TRUE(IsJson(type)) << type;
  for (const char* type :
       {"", "text/plain", "application/jsonx", "application/x-ndjson", "application/ndjson",
        "application/jsonl", "application/json-seq", "json", "+json", "/json", "a+json",
        "application/+json", "application/notjson", "text/plain;a=application/json",
        "text/plain; a=b+json"})
    EXPECT_FALSE(IsJson(type)) << type;
}

}  // namespace
}  // namespace outrigger::event
