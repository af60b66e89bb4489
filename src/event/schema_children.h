// The keywords of arrays and objects.
//
// Source: JSON Schema 2020-12, Core sections 10.3 and 11, Validation sections 6.4 and 6.5; drafts
// 4, 6, 7 and 2019-09 where they differ.
#pragma once

#include "event/schema_keyword.h"

namespace outrigger::event {

#define OUTRIGGER_KEYWORD(Name) \
  std::unique_ptr<Keyword> Name(JsonNode schema, JsonNode value, KeywordBuilder& builder)

OUTRIGGER_KEYWORD(MakeCount);  // minItems, maxItems, minProperties, maxProperties
OUTRIGGER_KEYWORD(MakeItems);  // items, prefixItems, additionalItems together
OUTRIGGER_KEYWORD(MakeContains);
OUTRIGGER_KEYWORD(MakeUniqueItems);
OUTRIGGER_KEYWORD(MakeUnevaluated);  // unevaluatedItems, unevaluatedProperties
OUTRIGGER_KEYWORD(MakeRequired);
OUTRIGGER_KEYWORD(MakeMembers);  // properties, patternProperties, additionalProperties together
OUTRIGGER_KEYWORD(MakePropertyNames);

#undef OUTRIGGER_KEYWORD

}  // namespace outrigger::event
