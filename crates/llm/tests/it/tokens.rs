//! Counting tokens: the estimate against a real vocabulary, and messages as a whole.

use patter_llm::{
    AssistantMessage, AssistantPart, ChatRequest, Media, Message, ModelInfo, ProviderData,
    TokenCounter, ToolCall, ToolDeclaration, ToolResult, UserMessage, UserPart,
};
use proptest::prelude::*;
use serde_json::{Map, json};

/// What people bring, and how many times too high the estimate of it may be.
const TEXTS: &[(&str, &str, u64)] = &[
    (
        "English",
        "The committee met on Tuesday to discuss the annual budget, and nobody was particularly happy with the outcome. \"Wouldn't it be wiser,\" she asked, \"to wait until spring?\"",
        2,
    ),
    (
        "German",
        "Die Donaudampfschifffahrtsgesellschaft veröffentlichte gestern ihre Geschäftszahlen; überraschenderweise fielen sie besser aus, als die Größe des Schadens befürchten ließ.",
        2,
    ),
    (
        "French",
        "L'été dernier, nous n'avons guère quitté la forêt ; où qu'on allât, l'on y était à l'ombre des chênes.",
        2,
    ),
    (
        "Turkish",
        "Komite salı günü yıllık bütçeyi görüşmek üzere toplandı ve hiç kimse sonuçtan özellikle memnun değildi.",
        2,
    ),
    (
        "Welsh",
        "Cyfarfu'r pwyllgor ddydd Mawrth i drafod y gyllideb flynyddol ac nid oedd neb yn arbennig o hapus gyda'r canlyniad.",
        2,
    ),
    (
        "Zulu",
        "Ikomidi lihlangane ngoLwesibili ukuze lixoxe ngesabelomali sonyaka futhi akekho owayejabule ngomphumela.",
        2,
    ),
    (
        "Vietnamese",
        "Ủy ban đã họp vào thứ Ba để thảo luận về ngân sách hàng năm và không ai đặc biệt hài lòng với kết quả.",
        2,
    ),
    (
        "Russian",
        "Комитет собрался во вторник, чтобы обсудить годовой бюджет, и никто не был особенно доволен результатом.",
        2,
    ),
    (
        "Greek",
        "Η επιτροπή συνεδρίασε την Τρίτη για να συζητήσει τον ετήσιο προϋπολογισμό και κανείς δεν έμεινε ευχαριστημένος.",
        4,
    ),
    (
        "Hebrew",
        "הוועדה התכנסה ביום שלישי כדי לדון בתקציב השנתי, ואיש לא היה מרוצה במיוחד מהתוצאה.",
        4,
    ),
    (
        "Arabic",
        "اجتمعت اللجنة يوم الثلاثاء لمناقشة الميزانية السنوية، ولم يكن أحد راضيا عن النتيجة. وقالت إنها لن تنتهي قبل الربيع.",
        3,
    ),
    (
        "Hindi",
        "समिति ने मंगलवार को वार्षिक बजट पर चर्चा करने के लिए बैठक की और कोई भी परिणाम से खुश नहीं था।",
        5,
    ),
    (
        "Thai",
        "คณะกรรมการประชุมกันเมื่อวันอังคารเพื่อหารือเกี่ยวกับงบประมาณประจำปี และไม่มีใครพอใจกับผลลัพธ์",
        5,
    ),
    (
        "Chinese",
        "委员会星期二开会讨论了年度预算,没有人对结果特别满意。她说这件事在春天之前不会完成。",
        2,
    ),
    (
        "Traditional Chinese",
        "委員會週二開會討論了年度預算,沒有人對結果特別滿意;鬱鬱蔥蔥的饕餮盛宴。",
        2,
    ),
    (
        "Japanese",
        "委員会は火曜日に年間予算について話し合いましたが、誰も結果に満足していませんでした。アクセシビリティ",
        2,
    ),
    (
        "Korean",
        "위원회는 화요일에 모여 연간 예산을 논의했지만 결과에 만족하는 사람은 아무도 없었다.",
        2,
    ),
    ("narrow kana", "ｱｸｾｼﾋﾞﾘﾃｨ ﾊﾟﾋﾟﾌﾟ", 2),
    ("wide letters", "Ｔｈｅ　ｃｏｍｍｉｔｔｅｅ　１２３４５", 2),
    ("Syriac", "ܫܠܡܐ ܥܠܟܘܢ", 2),
    ("Amharic", "ኮሚቴው ማክሰኞ ዕለት ተገናኝቶ በዓመታዊው በጀት ላይ ተወያይቷል።", 2),
    ("emoji", "👩‍👩‍👧‍👦🎉🚀🤖🏳️‍🌈👍🏽🇩🇪💡🫠 Great!!! ❤️✨ ¯\\_(ツ)_/¯", 3),
    (
        "mathematics",
        "∀ε>0 ∃δ>0: |x−a|<δ ⇒ |f(x)−f(a)|<ε; ∑ᵢ₌₁ⁿ i² = n(n+1)(2n+1)/6",
        2,
    ),
    ("Rust", include_str!("tokens.rs"), 3),
    ("TOML", include_str!("../../models.toml"), 3),
    (
        "capitals",
        "THE COMMITTEE MET ON TUESDAY TO DISCUSS THE ANNUAL BUDGET; NOBODY WAS HAPPY.",
        3,
    ),
    (
        "numbers",
        "3.14159265358979 2026-11-21T10:15:00Z 192.168.100.200 +49 30 1234567",
        3,
    ),
    (
        "Base64",
        "bGVhc3VyZS4uLiBUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgMTMgbGF6eSBkb2dzLg==",
        2,
    ),
];

/// The same of what machines bring.
fn machine_texts() -> Vec<(&'static str, String, u64)> {
    let numbers = (0..40_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let rows: Vec<_> = numbers
        .clone()
        .map(
            |id| json!({"id": id, "name": format!("item {id:x}"), "price": id % 997, "open": true}),
        )
        .collect();
    let keys: Vec<_> = numbers.map(|id| format!("{id:016x}")).collect();
    vec![
        ("JSON", json!(rows).to_string(), 2),
        ("pretty JSON", format!("{:#}", json!(rows)), 3),
        ("keys", keys.join(" "), 2),
        ("rows of a table", keys.join("\t"), 2),
        (
            "words in a table",
            "alpha\tbeta\tgamma\tzeta\r\n".repeat(20),
            2,
        ),
        ("blank lines of Windows", "\r\n".repeat(1_000), 3),
        ("carriage returns", "\r".repeat(1_000), 3),
        ("blanks and tabs", " \t\t   \t ".repeat(200), 3),
    ]
}

#[test]
fn the_estimate_is_never_below_the_real_count_and_not_far_above_it() {
    let texts = TEXTS
        .iter()
        .map(|&(name, text, factor)| (name, text.to_owned(), factor));
    for (name, text, factor) in texts.chain(machine_texts()) {
        let real = bpe_openai::o200k_base().count(&*text) as u64;
        let estimate = TokenCounter::estimate().text(&text);
        assert!(estimate >= real, "{name}: {estimate} for {real}");
        assert!(estimate <= factor * real, "{name}: {estimate} for {real}");
    }
}

#[cfg(feature = "o200k")]
#[test]
fn a_model_with_a_known_vocabulary_is_counted_by_it() {
    let catalog = patter_llm::Catalog::builtin();
    let exact = TokenCounter::of(catalog.find("openai", "gpt-6-luna").unwrap());
    assert_eq!(exact.text("hello world"), 2);
    let gemini = TokenCounter::of(catalog.find("gemini", "gemini-3.5-flash-lite").unwrap());
    assert_eq!(gemini.text("2026"), 4);
}

#[test]
fn every_part_of_a_message_counts() {
    let counter = TokenCounter::of(&ModelInfo {
        image_tokens: Some(1_000),
        ..ModelInfo::new("p", "m")
    });
    let long = "many words ".repeat(100);
    // Provider data counts a quarter of its bytes, whatever they are.
    let least = counter.text(&long).min(long.len() as u64 / 4);
    let call = ToolCall {
        id: "c".into(),
        name: "f".into(),
        arguments: Map::from_iter([("text".to_owned(), json!(long))]),
    };
    let result = |outcome| ToolResult {
        call_id: "c".into(),
        name: "f".into(),
        outcome,
    };
    let file = |mime_type: &str| {
        let part = UserPart::Media(Media::new(mime_type, vec![0; 200_000]));
        Message::User(UserMessage { parts: vec![part] })
    };
    let thoughts = ProviderData {
        kind: "p".into(),
        data: json!(long),
    };
    let messages = [
        Message::user(&*long),
        Message::Assistant(AssistantMessage::text(&*long)),
        Message::Assistant(AssistantMessage {
            parts: vec![AssistantPart::ToolCall(call)],
            provider_data: None,
        }),
        Message::Assistant(AssistantMessage {
            parts: Vec::new(),
            provider_data: Some(thoughts),
        }),
        Message::ToolResults(vec![result(Ok(json!({"text": long})))]),
        Message::ToolResults(vec![result(Err(long.clone()))]),
        file("image/png"),
        file("application/pdf"),
        file("audio/mp3"),
        file("text/plain"),
    ];
    for message in &messages {
        let tokens = counter.message(message);
        assert!(tokens >= least, "{tokens} for {message:?}");
    }
    assert_eq!(counter.message(&file("image/png")), 1_004);
    let sum: u64 = messages
        .iter()
        .map(|message| counter.message(message))
        .sum();
    assert_eq!(counter.messages(&messages), sum);

    let tool = ToolDeclaration {
        name: "f".into(),
        description: long.clone(),
        parameters: json!({"type": "object", "description": long}),
    };
    let request = ChatRequest::new().system(&*long).tools([tool]);
    assert!(counter.preamble(&request) >= 3 * least);
    assert_eq!(counter.preamble(&ChatRequest::new().user(long)), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_estimated_at_more_tokens_than_bytes(text in any::<String>(), word in "[A-Za-zÀ-ž \n0-9]{0,80}") {
        for text in [text, word] {
            prop_assert!(TokenCounter::estimate().text(&text) <= text.len() as u64, "{text:?}");
        }
    }
}
