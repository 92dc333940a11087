"""What does the payment API say of itself? Rate, errors and duration; providers; where work waits."""

from compose.grafana.panels import BAD, GOOD, OFF, PLAIN, WARN, Query, Row, lines, states

NO_API = "the API tells nothing"
_RATE = "[$__rate_interval]"
_CLASSES = {"2xx": GOOD, "4xx": PLAIN, "5xx": BAD, "none": OFF}
_RESULTS = {"paid": GOOD, "late": WARN, "failed": BAD, "closed": OFF, "unknown": "purple"}
_REQUESTS = "payment_api_http_request_duration_seconds"
_CALLS = "payment_api_provider_call_duration_seconds"

REQUESTS = Row(
    title="The API's own view: requests",
    height=7,
    panels=(
        lines(
            "Answers",
            "A second, by status class. Beside 5xx, who hung up before an answer is none.",
            Query(expr=f"sum by (status_class) (rate({_REQUESTS}_count{_RATE}))", legend="{{status_class}}"),
            unit="reqps",
            width=6,
            none=NO_API,
            stacked=True,
            colors=_CLASSES,
        ),
        lines(
            "Share of 5xx by route",
            "Customers' routes. system_busy counts: for a customer it is no payment.",
            Query(
                expr=f'sum by (route) (rate({_REQUESTS}_count{{route=~"/v1/orders.*",status_class="5xx"}}{_RATE})) '
                f'/ sum by (route) (rate({_REQUESTS}_count{{route=~"/v1/orders.*"}}{_RATE}))',
                legend="{{route}}",
            ),
            unit="percentunit",
            width=6,
            none=NO_API,
        ),
        lines(
            "Duration by route, p99",
            "From the request's head to the answer's end, inside the API; without what the network and proxies add.",
            Query(
                expr=f"histogram_quantile(0.99, sum by (route, le) (rate({_REQUESTS}_bucket{_RATE})))",
                legend="{{route}}",
            ),
            unit="s",
            width=6,
            none=NO_API,
        ),
        lines(
            "In flight",
            "Requests that are being answered.",
            Query(expr="sum by (instance) (payment_api_http_requests_in_flight)", legend="{{instance}}"),
            width=6,
            none=NO_API,
        ),
    ),
)

PAYMENTS = Row(
    title="The API's own view: payments and providers",
    height=7,
    panels=(
        lines(
            "Payment attempts by what came of them",
            "A second. unknown is a charge without a result that can be believed; it is resolved behind.",
            Query(expr=f"sum by (result) (rate(payment_api_payment_attempts_ended_total{_RATE}))", legend="{{result}}"),
            Query(expr=f"sum(rate(payment_api_payment_attempts_unknown_total{_RATE}))", legend="unknown"),
            unit="ops",
            width=6,
            none=NO_API,
            stacked=True,
            colors=_RESULTS,
        ),
        states(
            "Breakers",
            "Open: payments by it are refused at once, and other methods named. Half open: one is let through.",
            Query(
                expr='2 * max by (provider) (payment_api_provider_breaker_state{state="open"}) '
                '+ max by (provider) (payment_api_provider_breaker_state{state="half_open"})',
                legend="{{provider}}",
            ),
            shown={0: ("closed", GOOD), 1: ("half open", WARN), 2: ("open", BAD)},
            width=6,
            none=NO_API,
        ),
        lines(
            "Calls to providers that failed",
            "Share of calls without an answer, never sent, or answered with the provider's own trouble.",
            Query(
                expr=f'sum by (provider) (rate({_CALLS}_count{{outcome!="answered"}}{_RATE})) '
                f"/ sum by (provider) (rate({_CALLS}_count{_RATE}))",
                legend="{{provider}}",
            ),
            unit="percentunit",
            width=6,
            none=NO_API,
        ),
        lines(
            "Calls to providers, p99",
            "Up to the API's own deadline, at which it gives a call up.",
            Query(
                expr=f"histogram_quantile(0.99, sum by (provider, le) (rate({_CALLS}_bucket{_RATE})))",
                legend="{{provider}}",
            ),
            unit="s",
            width=6,
            none=NO_API,
        ),
        lines(
            "Refunds",
            "A second: booked to be sent, and done. Where the first runs ahead of the second, money is owed.",
            Query(expr=f"sum(rate(payment_api_refunds_begun_total{_RATE}))", legend="begun"),
            Query(expr=f'sum(rate(payment_api_refunds_ended_total{{result="done"}}{_RATE}))', legend="done"),
            Query(expr=f'sum(rate(payment_api_refunds_ended_total{{result="failed"}}{_RATE}))', legend="failed"),
            unit="ops",
            width=6,
            none=NO_API,
            colors={"begun": WARN, "done": GOOD, "failed": BAD},
        ),
        lines(
            "Notices of providers",
            "A second, by what became of them. What is not taken comes again.",
            Query(expr=f"sum by (result) (rate(payment_api_notices_total{_RATE})) > 0", legend="{{result}}"),
            unit="ops",
            width=6,
            none="none comes",
            stacked=True,
            colors={"taken": GOOD},
        ),
        lines(
            "Orders by the steps that they take",
            "A second, committed.",
            Query(
                expr=f"sum by (from, to) (rate(payment_api_order_transitions_total{_RATE})) > 0",
                legend="{{from}} to {{to}}",
            ),
            unit="ops",
            width=6,
            none="none moves",
        ),
        lines(
            "Money booked as captured",
            "The API's books since its process began; the providers' ledgers above are the other side.",
            Query(expr="sum by (provider) (payment_api_captured_money_minor_units_total) / 100", legend="{{provider}}"),
            unit="currencyCNY",
            width=6,
            none=NO_API,
            steps=True,
        ),
    ),
)

INSIDE = Row(
    title="The API's own view: where work waits",
    height=7,
    panels=(
        lines(
            "Admission",
            "Slots for new payments that are held, who waits for one, and how many may wait before others are refused.",
            Query(expr='sum(payment_api_admission_slots{state="held"})', legend="slots held"),
            Query(expr="sum(payment_api_admission_slots)", legend="slots"),
            Query(expr="sum(payment_api_admission_waiting_requests)", legend="waiting"),
            Query(expr="sum(payment_api_admission_waiting_limit)", legend="may wait"),
            width=6,
            none=NO_API,
            colors={"waiting": WARN, "slots held": PLAIN, "slots": OFF, "may wait": "yellow"},
        ),
        lines(
            "Told that the system is busy",
            "A second, by what was asked for. Queries and refunds should never be.",
            Query(expr=f"sum by (operation) (rate(payment_api_busy_answers_total{_RATE}))", legend="{{operation}}"),
            unit="ops",
            width=6,
            none=NO_API,
            stacked=True,
        ),
        lines(
            "Database connections that are busy",
            "By pool; the other pool is for queries and refunds, so that new payments cannot fill it.",
            Query(
                expr='sum by (pool) (payment_api_database_connections{state="busy"})',
                legend="{{pool}}",
            ),
            Query(expr="sum by (pool) (payment_api_database_connections_limit)", legend="{{pool}}, at most"),
            width=6,
            none=NO_API,
            colors={"at most": OFF},
        ),
        lines(
            "Work behind the requests",
            "Tasks by kind, and refusals in the spool file that wait for the database.",
            Query(expr="sum by (kind) (payment_api_background_tasks)", legend="{{kind}}"),
            Query(expr="sum(payment_api_spool_lines)", legend="lines in the spool"),
            width=6,
            none=NO_API,
            colors={"lines in the spool": BAD},
        ),
        lines(
            "Jobs and tasks that fail",
            "A second. While the database is gone all of them do.",
            Query(
                expr=f'sum by (name) (rate(payment_api_job_rounds_total{{result="failed"}}{_RATE}))', legend="{{name}}"
            ),
            Query(expr=f"sum(rate(payment_api_background_task_failures_total{_RATE}))", legend="tasks"),
            unit="ops",
            width=8,
            none=NO_API,
        ),
        lines(
            "The process: CPU",
            "Of one core; it is one process, so 100 % is all that there is.",
            Query(
                expr=f"rate(process_cpu_seconds_total{_RATE}) and on (instance) payment_api_build_info",
                legend="{{instance}}",
            ),
            unit="percentunit",
            width=8,
            none=NO_API,
            limit=0.9,
        ),
        lines(
            "The process: memory",
            "Resident. It should end where it began.",
            Query(expr="process_resident_memory_bytes and on (instance) payment_api_build_info", legend="{{instance}}"),
            unit="bytes",
            width=8,
            none=NO_API,
        ),
    ),
)
