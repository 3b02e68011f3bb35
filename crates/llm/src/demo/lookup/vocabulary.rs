//! The words by which a question for data is known, and those that say nothing.

/// A kind of data, and how people speak of it.
pub(super) struct Kind {
    pub(super) data_type: &'static str,
    pub(super) words: &'static [&'static str],
    /// What is looked up where the question names nothing.
    pub(super) usual: &'static str,
}

/// In the order in which they are tried: "in stock" is no share, and "the time of an order"
/// is no clock.
pub(super) const KINDS: [Kind; 8] = [
    Kind {
        data_type: "inventory",
        words: &[
            "inventory",
            "in stock",
            "stock level",
            "stock levels",
            "warehouse",
        ],
        usual: "all products",
    },
    Kind {
        data_type: "weather",
        words: &[
            "weather",
            "forecast",
            "temperature",
            "rain",
            "raining",
            "snow",
            "snowing",
            "sunny",
            "warm",
            "warmer",
            "cold",
            "colder",
            "hotter",
            "umbrella",
        ],
        usual: "London",
    },
    Kind {
        data_type: "stock",
        words: &[
            "stock price",
            "stock",
            "stocks",
            "share price",
            "share",
            "shares",
            "price",
            "prices",
            "quote",
        ],
        usual: "AAPL",
    },
    Kind {
        data_type: "user",
        words: &["user", "users", "customer", "account"],
        usual: "42",
    },
    Kind {
        data_type: "order",
        words: &["order", "orders", "parcel"],
        usual: "1001",
    },
    Kind {
        data_type: "sales",
        words: &["sales", "revenue", "turnover"],
        usual: "all regions",
    },
    Kind {
        data_type: "system_metrics",
        words: &[
            "system metrics",
            "system status",
            "metrics",
            "cpu",
            "memory usage",
            "server load",
            "uptime",
        ],
        usual: "web-1",
    },
    Kind {
        data_type: "time",
        words: &[
            "what time",
            "the time",
            "time in",
            "time is it",
            "current time",
            "what day",
            "what date",
            "the date",
            "today's date",
        ],
        usual: "UTC",
    },
];

/// Words that say nothing about what is looked up.
pub(super) const FILLERS: &str = "a an the this that these those in of for on at about with by what which who \
    where when why how is are was were be does do did it its me my mine show get give tell look up \
    find check list see track please now right today tomorrow yesterday tonight day week weeks \
    month months year last next past current currently latest like much many more most less and or \
    also then would will can could should you i i'm we us have has had want need know compare \
    comparison between difference from to there any all our let let's status weekend their details information \
    info data doing going today's expensive cheaper higher lower better hey hi hello buy trading";

/// Words behind which the question goes on with something else.
pub(super) const ENDS: [&str; 12] = [
    "times",
    "plus",
    "minus",
    "divided",
    "multiplied",
    "fahrenheit",
    "cost",
    "worth",
    "but",
    "because",
    "if",
    "than",
];

/// Companies whose name or symbol alone is a question for their shares.
pub(super) const COMPANIES: &str =
    "alphabet amazon apple google intel meta microsoft netflix nvidia tesla";
pub(super) const SYMBOLS: &str = "aapl amd amzn goog googl ibm intc meta msft nflx nvda orcl tsla";
