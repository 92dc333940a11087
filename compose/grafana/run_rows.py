"""What does a team see of a run while it goes on? From the live process's metrics; one scenario, or all of a night."""

from compose.grafana.panels import BAD, GOOD, OFF, PLAIN, WARN, Query, Row, figure, heat, lines, states, words

S = 'scenario=~"$scenario"'
PAY = f'{S},operation="pay"'
OUTCOMES = {"ok": GOOD, "fail": PLAIN, "info": WARN}
ENDS = {"paid": GOOD, "gave_up": BAD, "left": OFF, "ordered": PLAIN, "declined": WARN}
KEPT = {0: ("kept so far", GOOD), 1: ("at risk", WARN), 2: ("broken", BAD), 3: ("broken", BAD)}
LATENCY_S = 1.0
"""What an answer is held to where a scenario says nothing else; the limits below are the judge's as well."""
LATE_S = 0.25
CPU = 0.85
_RATE = "[$__rate_interval]"
_BUCKETS = f"payment_chaos_operation_latency_seconds_bucket{{{S}}}{_RATE}"


def _quantile(share: float) -> Query:
    expr = f"histogram_quantile({share}, sum by (le) (rate({_BUCKETS})))"
    return Query(expr=expr, legend=f"p{share * 100:g}")


TOP = Row(
    title=None,
    height=4,
    panels=(
        figure(
            "Promises broken",
            "Cases proven so far, over all promises that are watched live. Anything above 0 is a FAIL in the verdict.",
            Query(expr=f"sum(max by (scenario, promise) (payment_chaos_breaches_total{{{S}}}))"),
            width=4,
            thresholds=((None, GOOD), (1, "dark-red")),
        ),
        figure(
            "Cases at risk",
            "Become breaches unless something happens in time: charged twice and not yet refunded, unanswered, ...",
            Query(expr=f"sum(max by (scenario, promise) (payment_chaos_cases_at_risk{{{S}}}))"),
            thresholds=((None, GOOD), (1, WARN)),
        ),
        figure(
            "Paid, of those who wanted to",
            "Journeys that ended paid, of those that ended paid or given up; who left as scripted is no case.",
            Query(
                expr=f'sum(payment_chaos_journeys_total{{{S},end="paid"}}) '
                f'/ sum(payment_chaos_journeys_total{{{S},end=~"paid|gave_up"}})'
            ),
            unit="percentunit",
            width=4,
            none="nobody yet",
            thresholds=((None, "dark-red"), (0.95, WARN), (0.99, GOOD)),
            decimals=1,
        ),
        figure(
            "Faults on",
            "How many faults stand now; which, the bars below say.",
            Query(expr=f"sum(payment_chaos_fault_active{{{S}}})"),
            none="none",
            thresholds=((None, OFF), (1, "purple")),
        ),
        figure(
            "Status page",
            "What customers read there. It should name trouble soon after they see it, and clear soon after its end.",
            Query(expr=f"max(payment_chaos_status_page_degraded{{{S}}})"),
            none="not read",
            thresholds=((None, OFF),),
            mappings=(words({0: ("all is well", GOOD), 1: ("names trouble", WARN)}),),
        ),
        figure(
            "Money taken",
            "Captured less refunded, by the providers' own ledgers.",
            Query(
                expr=f'sum(payment_chaos_provider_money_minor_units_total{{{S},direction="captured"}}) / 100 - '
                f'(sum(payment_chaos_provider_money_minor_units_total{{{S},direction="refunded"}}) / 100 or vector(0))'
            ),
            unit="currencyCNY",
        ),
        figure(
            "Run",
            "Its directory below runs/: what a verdict, a page and `harness explain` are made of.",
            Query(expr="payment_chaos_run_info", legend="{{run_id}}"),
            width=4,
            text="name",
        ),
    ),
)

COURSE = Row(
    title="What happens",
    height=8,
    panels=(
        states(
            "Phases and faults",
            "The scenario's phase, and each fault with where it stands. A fault may stand only in its window.",
            Query(expr=f"max by (phase) (payment_chaos_phase{{{S}}})", legend="{{phase}}"),
            Query(
                expr=f"max by (kind, where) (payment_chaos_fault_active{{{S}}})", legend="fault: {{kind}} on {{where}}"
            ),
            shown={0: ("", "transparent"), 1: ("on", PLAIN)},
            colors={"fault: .*": "purple"},
        ),
        states(
            "Promises",
            "Each promise that is watched live. What is not called broken here is merely not known to be: the verdict "
            "comes afterwards.",
            Query(
                expr=f"2 * (max by (scenario, promise) (payment_chaos_breaches_total{{{S}}}) > bool 0) "
                f"+ on (scenario, promise) (max by (scenario, promise) (payment_chaos_cases_at_risk{{{S}}}) > bool 0)",
                legend="{{promise}} ({{scenario}})",
            ),
            shown=KEPT,
        ),
        states(
            "Alerts",
            "Prometheus' alerts that fire; each says in its annotation what to do.",
            Query(
                expr='max by (alertname) (ALERTS{alertstate="firing"}) '
                'or label_replace(vector(0), "alertname", "none fires", "", "")',
                legend="{{alertname}}",
            ),
            shown={0: ("", "transparent"), 1: ("fires", BAD)},
        ),
        states(
            "What the page says, and what the API knows",
            "The status page against the API's own view of each method: it should follow within the announced window.",
            Query(expr=f"1 - max(payment_chaos_status_page_degraded{{{S}}})", legend="status page"),
            Query(expr="min by (provider) (payment_api_method_works)", legend="{{provider}}"),
            shown={0: ("in trouble", WARN), 1: ("well", GOOD)},
        ),
    ),
)

CUSTOMERS = Row(
    title="Customers",
    height=8,
    panels=(
        lines(
            "Journeys that end",
            "A second, by their final word: paid, given up, left as scripted, declined, ordered and nothing else.",
            Query(expr=f"sum by (end) (rate(payment_chaos_journeys_total{{{S}}}{_RATE}))", legend="{{end}}"),
            unit="ops",
            stacked=True,
            colors=ENDS,
        ),
        lines(
            "Outcomes by operation",
            "A second: ok is acknowledged, fail is certainly without effect, info may have taken effect.",
            Query(
                expr=f"sum by (operation, outcome) (rate(payment_chaos_operations_total{{{S}}}{_RATE}))",
                legend="{{operation}} {{outcome}}",
            ),
            unit="ops",
            stacked=True,
            colors=OUTCOMES,
        ),
        lines(
            "Share not ok",
            "Of all operations, and of payments alone. 0 until the first that is not.",
            Query(
                expr=f'(sum(rate(payment_chaos_operations_total{{{S},outcome!="ok"}}{_RATE})) or vector(0)) '
                f"/ sum(rate(payment_chaos_operations_total{{{S}}}{_RATE}))",
                legend="all operations",
            ),
            Query(
                expr=f'(sum(rate(payment_chaos_operations_total{{{PAY},outcome!="ok"}}{_RATE})) or vector(0)) '
                f"/ sum(rate(payment_chaos_operations_total{{{PAY}}}{_RATE}))",
                legend="payments",
            ),
            unit="percentunit",
        ),
        heat(
            "Latency from the scheduled instant",
            "From when the customer meant to act to the answer, so that a slow target hides nothing by being slow.",
            Query(expr=f"sum by (le) (increase({_BUCKETS}))"),
            unit="s",
            width=8,
        ),
        lines(
            "Latency, percentiles",
            "Of all operations that were answered or timed out; the dashed line is the objective where none is set.",
            *(_quantile(share) for share in (0.5, 0.95, 0.99)),
            unit="s",
            limit=LATENCY_S,
        ),
        lines(
            "Latency by operation, p99",
            "Paying waits for a provider; reading should not wait for anything.",
            Query(expr=f"histogram_quantile(0.99, sum by (operation, le) (rate({_BUCKETS})))", legend="{{operation}}"),
            unit="s",
            limit=LATENCY_S,
        ),
    ),
)

MONEY = Row(
    title="Money, by the providers' ledgers",
    height=7,
    panels=(
        lines(
            "Captured and refunded",
            "So far, by provider. A double charge shows here before anybody complains.",
            Query(
                expr=f"sum by (provider, direction) (payment_chaos_provider_money_minor_units_total{{{S}}}) / 100",
                legend="{{provider}} {{direction}}",
            ),
            unit="currencyCNY",
            width=12,
            steps=True,
        ),
        lines(
            "Captured a second",
            "A provider that stops taking money is in trouble, whatever it answers.",
            Query(
                expr="sum by (provider) (rate(payment_chaos_provider_money_minor_units_total"
                f'{{{S},direction="captured"}}{_RATE})) / 100',
                legend="{{provider}}",
            ),
            unit="currencyCNY",
            width=12,
            stacked=True,
        ),
    ),
)

LOAD = Row(
    title="Is the measurement sound?",
    height=7,
    panels=(
        lines(
            "Arrivals",
            "Planned for the whole load, started, and missed. In the end planned = started + missed.",
            Query(expr=f"sum(payment_chaos_arrivals_planned{{{S}}})", legend="planned"),
            Query(expr=f"sum(payment_chaos_arrivals_started_total{{{S}}})", legend="started"),
            Query(expr=f"sum(payment_chaos_arrivals_missed_total{{{S}}})", legend="missed"),
            width=6,
            steps=True,
            colors={"planned": OFF, "started": PLAIN, "missed": BAD},
        ),
        lines(
            "Journeys in flight",
            "A pile that grows is a target that is slower than its customers come.",
            Query(expr=f"sum by (scenario) (payment_chaos_journeys_in_flight{{{S}}})", legend="{{scenario}}"),
            width=6,
        ),
        lines(
            "How late the generator is, p99",
            "Of journeys' first steps. Above the dashed line latencies are the generator's and judged UNKNOWN.",
            Query(
                expr=f"max by (scenario) (payment_chaos_generator_lateness_p99_seconds{{{S}}})", legend="{{scenario}}"
            ),
            Query(expr="max(payment_chaos_live_lag_seconds)", legend="live judge behind by"),
            unit="s",
            width=6,
            limit=LATE_S,
        ),
        lines(
            "The generator's CPU",
            "Of one core. Above the dashed line its instants are its own, not the target's.",
            Query(expr=f"max by (scenario) (payment_chaos_generator_cpu_ratio{{{S}}})", legend="{{scenario}}"),
            unit="percentunit",
            width=6,
            limit=CPU,
        ),
    ),
)
