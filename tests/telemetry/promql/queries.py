"""Queries picked by hand: every function, operator and aggregation, and the places where they are delicate."""


def _words(text: str) -> list[str]:
    return text.split()


MATHEMATICS = _words("""
    abs ceil floor exp sqrt ln log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh deg rad sgn
""")
DATES = _words("day_of_month day_of_week day_of_year days_in_month hour minute month year")
COUNTERS = _words("rate irate increase resets changes")
GAUGES = _words("delta idelta deriv changes resets")
OVER_TIME = _words("avg min max sum count stddev stdvar last present")
AGGREGATIONS = _words("sum avg min max count stddev stdvar group")
ARITHMETIC = _words("+ - * / % ^ atan2")
COMPARISONS = _words("== != > < >= <=")


def _families() -> list[str]:
    """One text for each function and operator, over several kinds of series."""
    texts = [f"{name}(temperature)" for name in MATHEMATICS]
    texts += [f"{name}(strange)" for name in MATHEMATICS]
    texts += [f"{name}(size)" for name in ("abs", "ln", "sqrt", "sgn", "floor")]
    for name in DATES:
        texts += [f"{name}()", f"{name}(moment)", f"{name}(vector(1678000000.5))"]
    for name in COUNTERS:
        texts += [f"{name}(http_requests_total[{window}])" for window in ("20s", "1m", "5m", "17m")]
        texts += [
            f"{name}(strange[2m])",
            f"{name}(sparse[30m])",
            f"{name}(cancelling[2m])",
            f"{name}(flapping[5m])",
        ]
    for name in GAUGES:
        texts += [f"{name}(temperature[{window}])" for window in ("1m", "10m")]
        texts += [f"{name}(some_nan[3m])", f"{name}(strange[1m])", f"{name}(constant[5m])"]
    for name in OVER_TIME:
        texts += [
            f"{name}_over_time({selector})"
            for selector in (
                "temperature[5m]", "strange[3m]", "some_nan[90s]", "flapping[10m]", "cancelling[7m]", "even[1m]",
                "size[5m]", "sparse[1m]",
            )
        ]  # fmt: skip
    for name in AGGREGATIONS:
        texts += [
            f"{name}(temperature)", f"{name} by (instance) (temperature)", f"{name} without (room) (temperature)",
            f"{name}(strange)", f"{name}(some_nan)", f"{name} by (kind) (size)", f"{name} by (missing) (load)",
            f"{name} without () (up)", f"{name}(nothing)", f"{name} by (__name__) ({{job='node'}})",
        ]  # fmt: skip
    for op in ARITHMETIC:
        texts += [
            f"temperature {op} 3", f"2 {op} temperature", f"temperature {op} load", f"3 {op} 7",
            f"temperature {op} ignoring (room) group_left load", f"load {op} ignoring (room) group_right temperature",
            f"load {op} rising", f"strange {op} strange", f"strange {op} 0", f"0 {op} strange",
            f"load {op} on (instance) rising", f"size {op} size",
        ]  # fmt: skip
    for op in COMPARISONS:
        texts += [
            f"temperature {op} 5", f"5 {op} temperature", f"temperature {op} bool 5", f"5 {op} bool temperature",
            f"1 {op} bool 2", f"load {op} up", f"load {op} bool up", f"load {op} on (instance) up",
            f"load {op} bool on (instance) up", f"strange {op} strange", f"strange {op} bool NaN",
            f"temperature {op} on (instance) group_left load", f"load {op} on (instance) group_right temperature",
        ]  # fmt: skip
    return texts


SELECTORS = r"""
up
up{instance="a:9100"}
up{instance!="a:9100"}
up{instance=~"a.*|b.*"}
up{instance!~"a.*"}
up{instance=~"9100"}
up{missing=""}
up{missing!=""}
up{job=~".+"}
up{job=~""}
{__name__="up"}
{__name__=~"twin_.*"}
{__name__=~"up|load",instance="a:9100"}
{job="node",__name__!~"temperature|strange|some_nan|flapping"}
texts{text="say \"hi\""}
texts{text='a\\b'}
texts{text=`a\b`}
texts{text=~"Z.rich"}
texts{text=""}
texts{room=~"(?i)QUOTE"}
nothing
up offset 5m
up offset -5m
up offset 1h
up offset 3d
up @ 1700003600
up @ 1700003600.5
up @ start()
up @ end()
up @ end() offset 10m
up offset 10m @ start()
up @ 1600000000
sparse
flapping
flapping offset 7m
early or late
size
moment
strange
"""

RANGES = r"""
up[1m]
flapping[20m]
strange[1m] offset 2m
up[5m] @ 1700003600
up[5m] @ end() offset 1m
temperature[2m:30s]
temperature[2m:]
temperature[5m:13s] offset 3m
rate(http_requests_total[1m])[5m:1m]
sum(rate(http_requests_total[1m]))[5m:30s] @ start()
up[100ms]
nothing[5m]
1[5m:1m]
time()[2m:30s]
vector(time())[2m:7s]
even[0m10s]
even[20s]
"""

SUBQUERIES = r"""
max_over_time(rate(http_requests_total[1m])[5m:1m])
avg_over_time(sum by (instance) (rate(http_requests_total[2m]))[10m:30s])
min_over_time(temperature[5m:])
rate(sum(http_requests_total)[5m:15s])
increase(http_requests_total[10m:1m])
deriv(rate(http_requests_total[1m])[5m:10s])
quantile_over_time(0.9, load[10m:20s])
count_over_time(up[10m:1m])
sum_over_time((up > 0)[10m:1m])
last_over_time(temperature[5m:7s])
max_over_time(temperature[10m:1m] offset 5m)
max_over_time(temperature[10m:1m] @ 1700003600)
max_over_time(temperature[10m:1m] @ end() offset 2m)
max_over_time((temperature offset 3m)[10m:1m] offset 5m)
max_over_time((temperature @ start())[10m:1m])
max_over_time((time() - timestamp(temperature))[5m:30s])
sum_over_time(sum_over_time(load[1m:15s])[3m:1m])
max_over_time(max_over_time(rate(load[1m])[3m:30s])[10m:2m])
changes((up == bool 1)[10m:30s])
absent_over_time(nothing[5m:1m])
absent_over_time((up > 5)[5m:1m])
present_over_time((load > 1)[5m:1m])
stddev_over_time(time()[5m:1m])
predict_linear(rising[5m:30s], 600)
holt_winters(rising[5m:30s], 0.3, 0.6)
irate(rising[1m:1s])
delta(rising[5m:1m] offset -2m)
avg_over_time(vector(time())[1h:10m])
resets(http_requests_total[30m:5m])
sum_over_time(1[5m:1m])
"""

FUNCTIONS = r"""
absent(up)
absent(nothing)
absent(nothing{job="x",instance="y"})
absent(nothing{job=~"x",instance="y"})
absent(nothing{job="x",job="y",z="1"})
absent(nothing{job="x",job!="y",z="1"})
absent(sum(nothing))
absent((nothing{a="b"}))
absent(early)
absent(late{room="x"})
absent(up @ 1600000000)
absent(rate(nothing[5m]))
absent_over_time(up[5m])
absent_over_time(nothing[5m])
absent_over_time(nothing{a="b",c=~"d"}[5m])
absent_over_time(early[5m])
absent_over_time(early{room="x"}[10m] offset 10m)
absent_over_time({__name__="nothing",a="b"}[1m])
clamp(temperature, 0, 10)
clamp(temperature, 10, 0)
clamp(strange, -1, 1)
clamp(strange, NaN, 1)
clamp(strange, -Inf, NaN)
clamp(temperature, scalar(load{instance="a:9100"}), 10)
clamp_min(temperature, 3)
clamp_min(strange, -1)
clamp_min(strange, NaN)
clamp_max(temperature, 3)
clamp_max(strange, -Inf)
clamp_max(strange, NaN)
round(temperature)
round(temperature, 5)
round(temperature, 0.3)
round(temperature, 0)
round(-temperature, 0.5)
round(strange)
round(temperature, NaN)
round(temperature, -2)
scalar(constant)
scalar(up)
scalar(nothing)
scalar(early)
vector(3)
vector(time())
vector(NaN)
vector(scalar(up))
time()
pi()
-time()
timestamp(up)
timestamp(up offset 2m)
timestamp(up @ 1700003600)
timestamp((up))
timestamp(up + 0)
timestamp(sum(up))
timestamp(flapping)
timestamp(timestamp(up))
time() - timestamp(sparse)
sort(temperature)
sort_desc(temperature)
sort(some_nan)
sort_desc(some_nan)
sort(nothing)
quantile_over_time(0.5, temperature[5m])
quantile_over_time(0, temperature[5m])
quantile_over_time(1, temperature[5m])
quantile_over_time(-1, temperature[5m])
quantile_over_time(1.5, temperature[5m])
quantile_over_time(NaN, temperature[5m])
quantile_over_time(0.3, some_nan[5m])
quantile_over_time(0.3, strange[5m])
quantile_over_time(scalar(load{instance="a:9100"}), temperature[5m])
predict_linear(rising[10m], 3600)
predict_linear(rising[10m], -3600)
predict_linear(temperature[10m] offset 5m, 60)
predict_linear(rising[10m] @ 1700003600, 60)
predict_linear(constant[10m], 60)
predict_linear(strange[1m], 60)
predict_linear(sparse[20m], scalar(constant))
deriv(sparse[30m])
holt_winters(temperature[5m], 0.5, 0.5)
holt_winters(rising[10m], 0.01, 0.99)
holt_winters(strange[1m], 0.3, 0.3)
holt_winters(temperature[5m], 0, 0.5)
holt_winters(temperature[5m], 0.5, 1)
holt_winters(temperature[5m], NaN, 0.5)
holt_winters(temperature[20s], 0.5, 0.5)
histogram_quantile(0.9, latency_seconds_bucket)
histogram_quantile(0.5, rate(latency_seconds_bucket[5m]))
histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[5m])))
histogram_quantile(0.99, sum by (le, instance) (increase(latency_seconds_bucket[10m])))
histogram_quantile(0, rate(latency_seconds_bucket[1m]))
histogram_quantile(1, rate(latency_seconds_bucket[1m]))
histogram_quantile(-1, latency_seconds_bucket)
histogram_quantile(2, latency_seconds_bucket)
histogram_quantile(NaN, latency_seconds_bucket)
histogram_quantile(0.5, odd_bucket)
histogram_quantile(0.01, odd_bucket)
histogram_quantile(0.9, odd_bucket{kind="doubled"})
histogram_quantile(0.9, odd_bucket{kind="falling"})
histogram_quantile(0.9, odd_bucket{kind="below"})
histogram_quantile(0.1, odd_bucket{kind="below"})
histogram_quantile(0.9, temperature)
histogram_quantile(scalar(load{instance="a:9100"}), latency_seconds_bucket)
histogram_quantile(0.9, {__name__=~"latency_seconds_bucket|odd_bucket"})
histogram_count(up)
histogram_sum(up)
histogram_fraction(0, 1, up)
label_replace(up, "host", "$1", "instance", "(.*):.*")
label_replace(up, "host", "${1}-x", "instance", "(.*):(.*)")
label_replace(up, "host", "$2$$1$x", "instance", "(?P<x>.*):(.*)")
label_replace(up, "host", "$1x", "instance", "(.*):(.*)")
label_replace(up, "host", "$", "instance", ".*")
label_replace(up, "host", "", "instance", ".*")
label_replace(up, "instance", "", "instance", ".*")
label_replace(up, "job", "x", "missing", "")
label_replace(up, "job", "x", "instance", "9100")
label_replace(up, "__name__", "down", "instance", "a.*")
label_replace(up, "0bad", "x", "instance", ".*")
label_replace(up, "host", "x", "instance", "(")
label_replace(up, "host", "$9", "instance", "(.*)")
label_replace(rate(http_requests_total[5m]), "code", "any", "code", ".*")
label_replace(texts, "room", "$1", "text", "(?s)(.*)")
label_join(up, "both", "-", "job", "instance")
label_join(up, "both", "", "job", "missing", "instance")
label_join(up, "both", "-", "missing")
label_join(up, "both", ",")
label_join(up, "instance", "-", "job")
label_join(up, "1", "-", "job")
label_join(up, "x", "-", "1")
last_over_time({__name__=~"twin_.*"}[5m])
rate({__name__=~"twin_.*"}[5m])
abs({__name__=~"twin_.*"})
-{__name__=~"twin_.*"}
{__name__=~"twin_.*"} * 2
{__name__=~"twin_.*"} > 0
{__name__=~"twin_.*"} > bool 0
abs({__name__=~"early|late"})
-{__name__=~"early|late"}
rate({__name__=~"early|late"}[1m])
sum_over_time({__name__=~"early|late"}[30s])
{__name__=~"early|late"} + 1
"""

OPERATORS = r"""
-up
+up
-(-up)
-2 ^ 2
2 ^ -1
2 ^ 3 ^ 2
-temperature ^ 2
1 + 2 * 3 - 4 / 5 % 6
(1 + 2) * 3
1 / 0
-1 / 0
0 / 0
0 % 0
NaN
Inf
-Inf
0x1F
1e3
.5
up == 1
up != 1
load > 0.5 < 2
1 < bool 2 == bool 1
load and up
load and on (instance) temperature
load and ignoring (room) temperature
load and on () up
load and nothing
load or up
load or on (instance) up
load or on () up
nothing or up
up or nothing
twin_a or twin_b
twin_a or ignoring (room) twin_b
early or late
early or on (room) late
load unless up
load unless on (instance) (up == 0)
load unless on () nothing
load unless nothing
flapping or on (instance) load
flapping and on (instance) (load > 0.5)
flapping unless on (instance) (load > 0.5)
(load > 1) or (up == 0) or vector(9)
(load > 1) or on () vector(9)
temperature / on (instance, job) group_left load
temperature * on (instance) group_left (version, os) machine_info
temperature * on (instance) group_left (version, room) machine_info
temperature * on (instance) group_left (missing) machine_info
machine_info * on (instance) group_right (version) temperature
machine_info * on (instance) group_right temperature
http_requests_total / ignoring (code) group_left sum without (code) (http_requests_total)
http_requests_total / ignoring (code, method) group_left sum without (code, method) (http_requests_total)
http_requests_total / on (instance) sum by (instance) (http_requests_total)
http_requests_total + on (instance) http_requests_total
http_requests_total + ignoring (code) http_requests_total
temperature + on (room) temperature
temperature + on (instance) load
load + on (instance) temperature
load + on (job) load
load + on () load
load == on (instance) temperature
temperature > on (instance) load
(temperature > 100) > on (instance) load
load + on (instance) group_left temperature
temperature + on (instance) group_right load
temperature + on (instance) group_left (room) (load * 0 + on (instance) group_left (version) machine_info)
sum(temperature) + sum(load)
sum(temperature) / count(temperature) >= bool avg(temperature) - 1e-6
twin_a + twin_b
twin_a + on (room) twin_b
twin_a - twin_a
early + late
early + on (room) early
flapping + flapping offset 10m
up * on (instance) group_left sum by (instance) (rate(http_requests_total[5m]))
temperature atan2 on (instance) group_left load
rising % 7
rising - rising offset 1m
rate(http_requests_total{code="500"}[5m]) / ignoring (code) rate(http_requests_total{code="200"}[5m])
rate(http_requests_total[5m]) > bool 1
{__name__=~"up|load"} + on (instance) up
up + on (instance) {__name__=~"up|load"}
{__name__=~"up|load"} * on (instance, __name__) {__name__=~"up|load"}
{__name__=~"early|late"} * on (room) {__name__=~"early|late"}
time() - 1700000000 > 100
time() > bool 1700003600
vector(1) + vector(2)
vector(1) + on () group_left vector(2)
scalar(constant) + up
up * scalar(up)
"""

AGGREGATION = r"""
topk(2, temperature)
topk(1, temperature)
topk(3, strange)
topk(100, temperature)
topk(0, temperature)
topk(-1, temperature)
topk(1.9, temperature)
topk(2, temperature) by (instance)
topk by (instance) (1, temperature)
topk without (room) (1, temperature)
topk(NaN, temperature)
topk(Inf, temperature)
topk(scalar(constant), temperature)
topk(scalar(load{instance="a:9100"}) * 3, temperature)
bottomk(2, temperature)
bottomk(3, some_nan)
bottomk by (room) (2, temperature)
bottomk(1e30, temperature)
quantile(0.5, temperature)
quantile(0.9, temperature) by (room)
quantile(0, temperature)
quantile(1, temperature)
quantile(-1, temperature)
quantile(2, temperature)
quantile(NaN, temperature)
quantile(0.3, some_nan)
quantile(0.5, strange)
quantile(scalar(load{instance="a:9100"}), temperature)
quantile without (instance, job) (0.25, temperature)
count_values("value", flapping)
count_values("value", size)
count_values("value", strange)
count_values by (instance) ("value", flapping)
count_values("instance", flapping) by (instance)
count_values without (instance) ("value", flapping)
count_values without (value) ("value", flapping)
count_values("job", up)
count_values("0", up)
count_values("value", nothing)
count_values("value", round(temperature))
sum by (job, instance) (rate(http_requests_total[5m]))
sum without (code, method) (rate(http_requests_total[5m]))
sum by (code) (rate(http_requests_total[5m])) / ignoring (code) group_left sum(rate(http_requests_total[5m]))
avg(size)
sum(size)
stddev(constant)
stddev(texts * 0 + 0.1)
avg by (room) (avg by (room, instance) (temperature))
max(max_over_time(temperature[5m])) - min(min_over_time(temperature[5m]))
count(up == 1)
count(up == 1) or vector(0)
sum(count by (instance) (temperature))
group by (job) (up)
sum(up) by (job)
sum(up) without (job)
sum by (__name__) (up)
avg without (__name__) (load)
sum(temperature @ end())
sum(rate(http_requests_total[5m] @ start()))
sum(up) + time()
avg_over_time(load[5m] offset -5m)
sum(flapping) by (instance)
count(flapping)
topk(2, rate(http_requests_total[5m]))
bottomk(2, sum by (instance) (rate(http_requests_total[5m])))
100 * (1 - avg by (instance) (rate(rising[5m])))
1 - sum(rate(http_requests_total{code="500"}[10m])) / sum(rate(http_requests_total[10m]))
"""

WRONG = r"""
up{
up)
sum(
sum(up
rate(up)
up[5m
up[5x]
up[0s]
sum up
foo(up)
up + "a"
"a" + up
1 > 2
up and 1
1 or 2
up + on (x) group_left (x) up
up and on (x) group_left up
up + bool up
topk("a", up)
topk(up, up)
count_values(1, up)
quantile("x", up)
rate(rate(up[5m]))
sum(up[5m])
abs(1)
vector(up)
scalar(1)
label_replace(up, "a", "b")
label_join(up)
time(1)
clamp(up, 1)
up offset up
up @ foo
up{a="b",}[
{}
{a=""}
{a=~".*"}
{a!="x"}
up{a=~"("}
up{__name__="x"}
"unfinished
'text'
"a" == "b"
up[5m][5m]
up[5m:1m:1m]
up[5m] + 1
-up[5m]
mad_over_time(up[5m])
sort_by_label(up, "a")
limitk(2, up)
up offset 5m offset 5m
up @ 5 @ 6
0x
1.2.3
1 + + 2
up unless bool up
by (x) up
# only a comment
"""


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


INSTANT_ONLY = _lines(RANGES)
BOTH_FORMS = [
    *_lines(SELECTORS), *_lines(SUBQUERIES), *_lines(FUNCTIONS), *_lines(OPERATORS), *_lines(AGGREGATION),
    *_families(), *_lines(WRONG),
]  # fmt: skip
