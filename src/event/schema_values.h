// The keywords that look at a value itself: its type, what it equals, numbers and strings.
//
// Source: JSON Schema Validation 2020-12, sections 6.1 to 6.3 and 7; drafts 4, 6, 7 and 2019-09
// where they differ.
#pragma once

#include "event/schema_keyword.h"

namespace outrigger::event {

#define OUTRIGGER_KEYWORD(Name) \
  std::unique_ptr<Keyword> Name(JsonNode schema, JsonNode value, KeywordBuilder& builder)

OUTRIGGER_KEYWORD(MakeType);
OUTRIGGER_KEYWORD(MakeEnum);
OUTRIGGER_KEYWORD(MakeConst);
OUTRIGGER_KEYWORD(MakeBound);  // minimum, maximum, exclusiveMinimum, exclusiveMaximum
OUTRIGGER_KEYWORD(MakeMultipleOf);
OUTRIGGER_KEYWORD(MakeLength);  // minLength, maxLength
OUTRIGGER_KEYWORD(MakePattern);
OUTRIGGER_KEYWORD(MakeFormat);

#undef OUTRIGGER_KEYWORD

}  // namespace outrigger::event
