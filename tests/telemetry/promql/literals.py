"""Strings, patterns, numbers, names and damaged texts, on which readers of the language disagree."""

STRINGS = (
    r"`\d`", r"`\.`", r"`C:\temp\new`", "``", "`a\nb`", '`"\'`', r"`\`", "`#`", "`}`", "`a\rb`", "'`'", '"\\d"',
    '"\\."', '"\\\\d"', '"C:\\temp"', r"'C:\\temp'", '"\\""', r"'\''", '"\\\'"', '\'\\"\'', '""', "''",
    '"\\a\\b\\f\\n\\r\\t\\v\\\\"', '"\\x41"', '"\\x4"', '"\\xZZ"', '"\\101"', '"\\400"', '"\\18"', '"\\0"',
    '"é"', '"\\u00e9"', '"\\u00e"', '"\\ud800"', '"\\U0001F600"', '"\\U00110000"', '"\\U0001F60"', '"\\q"',
    '"\\ "', '"a\nb"', '"a', "'a", "`a", '"a\\', '"a\\"', "'#'", '"# no comment"', '"a" # comment', '"{"',
    '"}"', '"(("', '"\\xc3\\xa9"', '"温度"', '"a\tb"', '"\u2028"', '"\x01"', '"\\/"', '"\\e"', '"\\8"',
)  # fmt: skip
PATTERNS = (
    r"\Q.\E", r"\Qa.b\E", r"\Q[\E", r"\Qa", "[[]x[]]", "[[]", "[]]", "[]a]", "[^]]", "[a", "[]", "[z-a]",
    r"\d+", r"\D", r"\w\W\s\S", r"\bx\b", r"\B", r"\A.*\z", r"\Z", r"\C", r"\.", r"\/", r"\-", r"\_", r"\é",
    r"\8", r"(a)\1", "(?i)A", "(?s).", "(?m)^a$", "(?U)a+", "(?x)a", "(?i:a)b", "(?P<n>a)", "(?<n>a)",
    "(?P<n>a)(?P<n>b)", "(?=a)", "(?!a)", "(?<=a)", "(?>a)", "(?#c)a", "a{2}", "a{2,}", "a{,2}", "a{2,1}",
    "a{1000}", "a{1001}", "(a{100}){10}", "(a{100}){11}", "a{", "a{x}", "{", "}", "a**", "a*?", "a*+", "a??",
    "*a", "+", "?", "a|*", "(", ")", "a)(b", "()", "|", "a||b", "^a$", "$a^", r"\x41", r"\x{41}", r"\x{110000}",
    r"\x4", r"\pL", r"\p{Greek}", r"\p{Nope}", r"\PL", r"\p{^Greek}", r"\p", "[[:alpha:]]", "[[:nope:]]",
    r"[\d-z]", r"[a-\d]", r"[\Q]\E]", r"\a\f\t\n\r\v", r"\e", r"\cA", r"\123", r"\0", r"\01", "é+", "[é-ü]",
    r"\N", r"\R", r"\X", r"\K", r"\G", r"\h", r"\u0041", "a\\", ".", ".*", ".+", "", "x{0}", "x{0,0}", "(?i)ß",
    "(?:)", "(?", "(?i", "(?P<a", "(?P=n)", "(?P<1>a)", "(?P<a-b>a)", r"web[0-9]+\.example\.com", r"a\.b:9100",
    "[ab].*", "a:9100|b:9100", "(a|b):9100", r"\Qa:9100\E|b.*", r"[\]a]:9100", "[a[]:9100",
)  # fmt: skip
# Comments, numbers, durations, moments, names, calls, aggregations, operators: right ones and wrong ones.
WHOLE = (
    "up # comment", "# comment\nup", "up # a\rup", "# only", "up #\r+ 1", "up{ # c\njob='node'}",
    "up{job='node' # }\n}", "up\x0b", "up\x00", "\ufeffup", "up\xa0", "up\x85", "up\x0c", "1 #\x00",
    "1 # \x01\xe9", "up[5m # c\n]", "010", "08", "0x1F", "0X1f", "0x", "0x1p4", "1e", "1e+", "1e3", "1E3",
    "1e999", "0x1.8", ".5", "5.", ".", "1.2.3", "1_000", "0b1", "0o17", "Inf", "+inf", "-INF", "NaN", "nan",
    "infinity", "1e-999", "9223372036854775808", "0x8000000000000000", "0777777777777777777777777", "-1^2",
    "2^-1", "2^-1^2", "- - 1", "+-+1", "-(1)", "1i", "\u0661", "up[5m]", "up[1h30m]", "up[30m1h]",
    "up[1y1w1d1h1m1s1ms]", "up[1ms1s]", "up[0s]", "up[0]", "up[5x]", "up[5m5m]", "up[m]", "up[]", "up[-5m]",
    "up[1.5h]", "up[ 5m ]", "up[5M]", "up[1y1y]", "up[1d1y]", "up[999999y]", "up[5mm]", "up[5ms]", "up[5hs]",
    "up offset 5m", "up offset -5m", "up offset 0s", "up offset - 5m", "up offset", "up offset 5m offset 5m",
    "up[5m] offset 1m", "(up) offset 5m", "(up)[5m]", "up offset 5m [5m]", "up @ 5 [5m]", "-up offset 5m",
    "1 offset 5m", "sum(up) offset 5m", "up offset +5m", "up[5m:]", "up[5m:1m]", "up[5m:0s]",
    "up[5m:1m] offset 1m", "up[5m][5m:]", "(up)[5m:]", "1[5m:]", "up[:]", "up[:5m]", "up[5m:1m:1m]", "up[5m::]",
    "up[5m :1m]", "up[5m: 1m]", "sum(up)[5m:]", "up[1h:1m][1d:1h]", "up[[5m]]", "up @ 0", "up @ -5", "up @ +5",
    "up @ 1e10", "up @ 1e20", "up @ inf", "up @ NaN", "up @ start()", "up @ end()", "up @ start",
    "up @ START()", "up @ start() @ 5", "up @ 5 offset 5m", "up offset 5m @ 5", "up @", "up @ up", "1 @ 5",
    "(up) @ 5", "up @ 0x10", "up @ 5m", "up @ - 5", "up @ end()[5m:]", "sum", "sum{job='node'}", "avg + avg",
    "by", "without", "offset", "on", "bool", "ignoring", "group_left", "atan2", "and", "or", "unless", "start",
    "end", "start()", "end + start", "SUM(up)", "Sum By (job) (up)", "up AND up", "up Or up", "RATE(up[5m])",
    "topk", "count_values", "up{sum='x'}", "up{by='x'}", "up{on='x'}", "up{without='x'}", "up{offset='x'}",
    "up{bool='x'}", "up{inf=''}", "up{nan=''}", "sum by (by) (up)", "sum by (sum) (up)",
    "sum by (without) (up)", "sum by (offset) (up)", "sum by (bool) (up)", "sum by (on) (up)",
    "sum by (start) (up)", "sum by (atan2) (up)", "sum by (inf) (up)", "sum by (a:b) (up)", "sum by ('a') (up)",
    "sum by (1) (up)", "sum by (group_left) (up)", "sum by (and) (up)", "a:b", ":a", "a:", ":", "::",
    "a:b{c='d'}", "a:b(up)", "rate:x", "up:", "sum:x", "sum:x by", "_", "__name__", "é", "up{é='x'}",
    "up{a:b='x'}", "up{1a='x'}", "up{'a'='x'}", "up{__name__='x'}", "{__name__='up'}", "{__name__=~'u.*'}",
    "up{job='node',}", "up{,}", "up{}", "{}", "{,}", "{job=''}", "{job=~'.*'}", "{job!=''}", "{job!='x'}",
    "{job=~''}", "{job!~''}", "{job=~'.+'}", "up{job}", "up{job=}", "up{job='a' job='b'}", "up{job=='a'}",
    "up{job=~~'a'}", "up{job!'a'}", "up{job<'a'}", "up{job=1}", "up{job=a}", "up{job='a'}{job='b'}", "up{{}}",
    "up{", "up}", "up{job='a'", "{'up'}", "up{job='a'or job='b'}", "up {job='node'}", "up\n{job='node'}",
    "rate()", "rate(up)", "rate(up[5m],1)", "rate(up[5m],)", "abs(,up)", "abs(up", "abs up", "abs(1)",
    "time(1)", "time( )", "pi()", "vector('a')", "round(up,)", "round(up,1,2)", "label_join(up,'a','b')",
    "label_join(up,'a')", "label_join(up,'a','-','b','c')", "label_join(up,1,'b','c')",
    "label_replace(up,'a','b','c')", "label_replace(up,'a','b','job','a)(b')",
    r"label_replace(up,'a','$1','job',`\d(.*)`)", "label_replace(up,'a','b','job','(')", "hour()",
    "hour(up,up)", "hour(1)", "absent('a')", "scalar(1)", "nosuch(up)", "nosuch", "up()", "sum()", "sum(up,up)",
    "sum(1)", "sum(up[5m])", "topk(up)", "topk(1,up)", "topk('a',up)", "topk(up,up)", "count_values('a',up)",
    "count_values(1,up)", "count_values(('a'),up)", "quantile(0.5,up)", "sum(up) by (job)",
    "sum by (job) (up) by (job)", "sum by job (up)", "sum by (job)", "sum by () (up)", "sum without () (up)",
    "sum by (job,) (up)", "sum by (,) (up)", "sum by (job job) (up)", "sum by (job) up", "sum((up))",
    "sum ((up)) by (job)", "quantile_over_time(0.5,up[5m])", "quantile_over_time(up[5m],0.5)",
    "predict_linear(up[5m],1)", "sort(up)", "absent_over_time(up[5m])", "sum_over_time(up)",
    "sum_over_time((up[5m]))", "rate((up[5m]))", "rate(-up[5m])", "limitk(1,up)", "mad_over_time(up[5m])",
    "up + up", "up ++ up", "up +- up", "up == up", "up = up", "up =~ up", "up ! up", "up !~ up", "up === up",
    "up <> up", "up == bool up", "up + bool up", "1 == 1", "1 == bool 1", "1 and 1", "up and 1", "1 or up",
    "up and bool up", "up * on up", "up * on (job) up", "up * on () up", "up * on (job) group_left up",
    "up * on (job) group_left (job) up", "up * group_left up", "up * ignoring (job) group_right () up",
    "up * on (job) group_left(x) up", "up * on (job) 1", "up * on () 1", "1 * on (job) up",
    "up and on (job) group_left up", "up unless ignoring () up", "up or on (x) up", "up ^ up ^ up",
    "up atan2 up", "up % up", "up * on (job) bool up", "up == bool on (job) up", "up == on (job) bool up",
    "up +", "+ up", "* up", "up up", "up 1", "1 up", "1 1", "'a' 'b'", "'a' + 'b'", "'a' == 'b'", "up + 'a'",
    "-'a'", "-up[5m]", "up[5m] + 1", "(up[5m])", "((((up))))", "()", "(", ")", "(up))", "((up)", "[5m]", "]",
    "up]", "(up]", "[", "{(}", "", " ", ";", "up;", "up,up", "$x", "up$", "up @ $x", "up~", "up&up", "up|up",
    "up || up", "`up`", "up\\", "\\", "!", "=", "up !", "~", "a.b", "a-b", "up?",
)  # fmt: skip


def literal_queries() -> list[str]:
    """Queries around them: instant ones, all of them short."""
    texts = [*STRINGS, *WHOLE]
    texts += [f"temperature{{room!={text}}}" for text in STRINGS]
    texts += [f"count_values({text}, up)" for text in STRINGS]
    for pattern in PATTERNS:
        if "`" not in pattern:
            texts += [f"temperature{{instance=~`{pattern}`}}", f"temperature{{instance!~`{pattern}`}}"]
            texts.append(f"label_replace(temperature, 'new', `$1`, 'instance', `{pattern}`)")
    return list(dict.fromkeys(texts))
