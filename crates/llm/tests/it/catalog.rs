//! The table of models: what is in it, what is found in it, and what answers cost.

use chrono::NaiveDate;
use patter_llm::{Catalog, Gemini, ModelInfo, OpenAi, Price, Usage};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn usage(input: u64, output: u64, cached: impl Into<Option<u64>>) -> Usage {
    Usage {
        input_tokens: Some(input),
        output_tokens: Some(output),
        cached_input_tokens: cached.into(),
        ..Usage::default()
    }
}

/// What it costs by the built-in table.
fn cost(provider: &str, model: &str, usage: &Usage, on: &str) -> Option<f64> {
    Catalog::builtin().cost(provider, model, usage, day(on))
}

#[test]
fn costs_have_no_more_digits_than_prices() {
    let of = |input, output| {
        let usage = usage(input, output, input / 3);
        cost("openai", "gpt-6-luna", &usage, "2026-11-21").unwrap()
    };
    for tokens in 0..3_000 {
        let cost = of(tokens, 3 * tokens + 7);
        assert!(cost.to_string().len() <= "0.123456789".len(), "{cost}");
    }
}

#[test]
fn the_built_in_table_is_in_order() {
    let catalog = Catalog::builtin();
    let mut names: Vec<_> = Vec::new();
    for info in catalog.models() {
        let ModelInfo { provider, name, .. } = info;
        assert!(["gemini", "openai"].contains(&&**provider), "{provider}");
        assert_eq!(catalog.find(provider, name), Some(info));
        names.push((provider, name));
        if info.is_shut_down(catalog.date()) {
            assert!(info.prices.is_empty(), "{name} is gone and has a price");
            continue;
        }
        assert!(info.context_window.is_some(), "the window of {name}");
        assert!(info.max_input_tokens < info.context_window, "{name}");
        for price in &info.prices {
            let (input, output) = (price.input.unwrap(), price.output.unwrap());
            assert!(0.0 < input && input < output, "{name}: {price:?}");
            assert!(
                price.cached_input.is_none_or(|cached| cached < input),
                "{name}"
            );
        }
        let last = info.prices.last().unwrap();
        assert_eq!(
            (last.until, last.input_up_to),
            (None, None),
            "{name} has a gap"
        );
    }
    let rows = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows, "a model stands in the table twice");
}

#[test]
fn the_default_models_are_known_and_alive() {
    let catalog = Catalog::builtin();
    for (provider, model) in [
        ("gemini", Gemini::DEFAULT_MODEL),
        ("openai", OpenAi::DEFAULT_MODEL),
    ] {
        let info = catalog.find(provider, model).unwrap();
        let defaults = catalog.models().filter(|it| it.default);
        let defaults: Vec<_> = defaults.filter(|it| it.provider == provider).collect();
        assert_eq!(defaults, [info]);
        assert!(!info.is_shut_down(catalog.date()), "{model}");
        let price = info.price(catalog.date(), 1_000).unwrap();
        let Price {
            input,
            output,
            cached_input,
            ..
        } = price;
        assert!(
            input.is_some() && output.is_some() && cached_input.is_some(),
            "{model}"
        );
    }
}

#[test]
fn an_answer_costs_what_each_kind_of_token_costs() {
    let day = "2026-11-21";
    // 900,000 at 0.30, 100,000 at 0.03, 200,000 at 2.50.
    let found = cost(
        "gemini",
        "gemini-3.5-flash-lite",
        &usage(1_000_000, 200_000, 100_000),
        day,
    );
    assert_eq!(found, Some(0.773));
    // Nothing said of a cache: all of it in full.
    let found = cost(
        "gemini",
        "gemini-3.5-flash-lite",
        &usage(1_000_000, 0, None),
        day,
    );
    assert_eq!(found, Some(0.3));
    assert_eq!(
        cost("openai", "gpt-6-luna", &usage(0, 0, 0), day),
        Some(0.0)
    );
}

#[test]
fn a_large_request_is_dearer_as_a_whole() {
    let day = "2026-11-21";
    let at = |input| cost("openai", "gpt-6-luna", &usage(input, 1_000, 0), day);
    assert_eq!(at(272_000), Some(0.0272 + 0.0005));
    assert_eq!(at(272_001), Some(0.054_400_2 + 0.000_75));
}

#[test]
fn prices_change_on_their_day() {
    let at = |on| {
        cost(
            "gemini",
            "gemini-4-argon",
            &usage(1_000_000, 100_000, 0),
            on,
        )
    };
    assert_eq!(at("2026-11-30"), Some(3.0));
    assert_eq!(at("2026-12-01"), Some(6.0));
}

#[test]
fn what_is_put_into_the_cache_costs_what_that_costs() {
    let now = "2026-11-21";
    let written = Usage {
        cache_write_tokens: Some(600_000),
        ..usage(1_000_000, 0, 400_000)
    };
    let small = Usage {
        cache_write_tokens: Some(100_000),
        ..usage(200_000, 0, 100_000)
    };
    assert_eq!(cost("openai", "gpt-6-luna", &small, now), Some(0.0135));
    // Of a large request the dearer prices hold for all of it.
    assert_eq!(cost("openai", "gpt-6-luna", &written, now), Some(0.158));
    // No surcharge is known.
    assert_eq!(cost("openai", "gpt-4.1", &small, now), Some(0.25));
    // More written than there was.
    let wrong = Usage {
        cache_write_tokens: Some(100_001),
        ..small
    };
    assert_eq!(cost("openai", "gpt-6-luna", &wrong, now), None);
}

#[test]
fn what_is_not_known_is_never_zero() {
    let now = "2026-11-21";
    let whole = usage(1_000, 10, 0);
    assert_eq!(cost("openai", "gpt-7", &whole, now), None);
    assert_eq!(cost("demo", "demo", &whole, now), None);
    let missing = [
        Usage {
            input_tokens: None,
            ..whole
        },
        Usage {
            output_tokens: None,
            ..whole
        },
        // More cached than there was.
        usage(1_000, 10, 1_001),
    ];
    for usage in missing {
        assert_eq!(cost("openai", "gpt-6-luna", &usage, now), None, "{usage:?}");
    }
    // From January on nobody has said what cached input costs.
    let january = "2027-01-01";
    assert!(cost("gemini", "gemini-3.8-flash", &whole, january).is_some());
    assert_eq!(
        cost("gemini", "gemini-3.8-flash", &usage(1_000, 10, 1), january),
        None
    );
    // Shut down: whatever answers under the name has another price.
    assert!(cost("gemini", "gemini-2.5-pro", &whole, "2026-11-30").is_some());
    assert_eq!(cost("gemini", "gemini-2.5-pro", &whole, "2026-12-01"), None);
}

#[test]
fn a_model_is_found_in_every_spelling_and_never_by_half_its_name() {
    let catalog = Catalog::builtin();
    let found = |provider, model| catalog.find(provider, model).map(|info| info.name.as_str());
    assert_eq!(
        found("gemini", "models/gemini-3.8-flash"),
        Some("gemini-3.8-flash")
    );
    for name in [
        "gpt-6-luna",
        "openai/gpt-6-luna",
        "gpt-6-luna-2026-09-22",
        "openai/gpt-6-luna-2026-09-22",
    ] {
        assert_eq!(found("openai", name), Some("gpt-6-luna"), "{name}");
    }
    // A snapshot with a row of its own.
    assert_eq!(
        found("openai", "gpt-4o-2024-05-13"),
        Some("gpt-4o-2024-05-13")
    );
    for name in [
        "gpt-6-luna-mini",
        "gpt-6-lun",
        "gpt-6",
        "GPT-6-luna",
        "gpt-6-luna-2026-09",
        "gpt-6-luna-26-09-22",
        "gpt-6-luna-2026-09-22-mini",
        "gpt-6-luna-2026-09-xx",
        "-2026-09-22",
        "",
        "azure/gpt-6-luna",
        "ft:gpt-6-luna:me",
        "gpt-6-luna:free",
        "openai",
        "openai/",
        "gemini-3.8-flash",
    ] {
        assert_eq!(found("openai", name), None, "{name}");
    }
}

#[test]
fn somebody_elses_server_has_no_price_until_its_operator_names_one() {
    let catalog = Catalog::builtin();
    for provider in ["ollama", "openrouter", "azure", ""] {
        assert_eq!(catalog.find(provider, "gpt-6-luna"), None, "{provider}");
        assert_eq!(
            catalog.find(provider, "openai/gpt-6-luna"),
            None,
            "{provider}"
        );
    }
    let own = catalog.without_provider("openai");
    assert_eq!(own.find("openai", "gpt-6-luna"), None);
    let price = Price {
        input: Some(0.0),
        output: Some(0.0),
        ..Price::default()
    };
    let info = ModelInfo {
        prices: vec![price],
        ..ModelInfo::new("ollama", "gpt-oss:20b")
    };
    let own = own.with(info);
    let day = day("2026-11-21");
    assert_eq!(
        own.cost("ollama", "gpt-oss:20b", &usage(9, 9, None), day),
        Some(0.0)
    );
    assert_eq!(
        own.cost("ollama", "gpt-oss:120b", &usage(9, 9, None), day),
        None
    );
}

#[test]
fn an_operator_can_change_a_row_in_part() {
    let smaller = ModelInfo {
        context_window: Some(32_000),
        ..ModelInfo::new("openai", "openai/gpt-6-luna")
    };
    let price = Price {
        input: Some(7.0),
        ..Price::default()
    };
    let dearer = ModelInfo {
        prices: vec![price],
        ..ModelInfo::new("gemini", "models/gemini-4-argon")
    };
    let snapshot = ModelInfo {
        context_window: Some(16_000),
        ..ModelInfo::new("openai", "gpt-6-luna-2026-09-22")
    };
    let builtin = Catalog::builtin();
    let rows = builtin.models().count();
    let changed = builtin.clone().with(smaller).with(dearer).with(snapshot);

    let luna = changed.find("openai", "gpt-6-luna").unwrap();
    assert_eq!(luna.context_window, Some(32_000));
    assert_eq!(
        luna.prices,
        builtin.find("openai", "gpt-6-luna").unwrap().prices
    );
    let argon = changed.find("gemini", "gemini-4-argon").unwrap();
    assert_eq!(argon.prices, [price]);
    assert_eq!(argon.context_window, Some(1_048_576));
    // Half a price is none.
    assert_eq!(argon.cost(&usage(1, 1, 0), day("2026-11-21")), None);
    let snapshot = changed.find("openai", "gpt-6-luna-2026-09-22").unwrap();
    assert_eq!(
        (snapshot.context_window, &snapshot.prices),
        (Some(16_000), &luna.prices)
    );
    assert_eq!(changed.models().count(), rows + 1);
}
