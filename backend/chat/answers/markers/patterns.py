"""The forms in which models write citations."""

import re
from typing import Final

from chat.answers.markers.marker import NATIVE_CLOSE, NATIVE_OPEN

SUPERSCRIPT: Final = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "0123456789"
)
STRONG_PREFIX: Final = re.compile(
    r"^\s*(?:see\s+)?(?:documents?|docs?|passages?|sources?|src|ids?|refs?|references?|"
    r"citations?|cited|chunks?|"
    r"excerpts?)\b\s*(?:[:=#]|(?=[\w-]*\d))",
    re.IGNORECASE,
)
AUTHOR_YEAR: Final = re.compile(
    r"[A-Z][\w.&' -]{1,60},?\s+(?:et al\.?,?\s*)?\(?(?:19|20)\d\d[a-z]?\)?"
)
KEPT: Final = re.compile(r"\s*|x|X|\.{3}|\u2026|sic|\*", re.IGNORECASE)
CANDIDATE: Final = re.compile(
    rf"{NATIVE_OPEN}(?P<native>[\d,]*){NATIVE_CLOSE}"
    r"|!?\[(?P<label>[^\[\]\n]{0,300})\]\((?P<url>[^()\s]{0,300})(?:\s+\"[^\"\n]{0,200}\")?\)"
    r"|"
    r"\^?[\[\u3010\u27e6\u3014\uff3b](?P<square>\[?[^\[\]\u3010\u3011\u27e6\u27e7\n]{0,300}\]?)[\]\u3011\u27e7\u3015\uff3d]"
    r"|<(?P<tag>cite|citation|source|sup|ref|passage|document|doc|a|span|"
    r"co)\b(?P<attributes>[^<>]{0,200})>"
    r"(?P<inner>[^<>]{0,200})</(?P=tag)>"
    r"|<(?P<angle>[^<>\n]{1,300})>"
    r"|\{(?P<curly>[^{}\n]{1,300})\}"
    r"|\((?P<round>[^()\n]{1,300})\)"
    r"|(?P<super>[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+(?:[,\u02d2 "
    r"]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)*)"
    r"|(?<=[^\W\d])\^(?P<caret>\d{1,2})\b|(?<=[.!?])\^(?P<caret2>\d{1,2})\b"
    r"|(?P<bare>(?<![\w#-])[\w][\w./:-]{0,120}#\d+\b(?:-\d+\b)?)"
    rf"|\b(?P<named>(?:[Pp]assages?|[Ss]ources?|[Dd]ocuments?|[Dd]ocs?|"
    rf"[Cc]hunks?)(?:\s+\#?|[-_])\d{{1,3}}(?:(?:\s*,\s*|\s+and\s+|\s*&\s*)\d{{1,2}})*\b)"
    rf"|(?P<credit>(?:^|(?<=[\s.!?*_(]))(?:[Ss]ources?|[Rr]ef(?:erence)?s?|"
    rf"[Cc]itations?)\s?\*{{0,2}}:\*{{0,2}}\s*(?P<credited>[^\n()]{{1,300}}))",
    re.MULTILINE,
)
