//! In what the servers differ that speak Chat Completions, as far as a request must know it.

use reqwest::Url;

use crate::effort::ReasoningEffort;
use crate::gemini::family::checks_signatures;
use crate::openai::model_name::{gpt_version, nearest_effort, reasons};
use crate::openai::server::Server;
use crate::origin::Origin;

/// What one server wants for one model.
#[derive(Debug, Clone)]
pub(in crate::openai) struct Dialect {
    /// Whose private data an answer has, and may get back.
    pub(super) origin: Origin,
    server: Server,
    /// Calls that another model made need a word in place of Gemini's signature.
    pub(super) signed_calls: bool,
    effort: Option<ReasoningEffort>,
    effort_with_tools: Option<ReasoningEffort>,
}

impl Dialect {
    /// How to speak to the server at this base URL.
    pub(in crate::openai) fn of(base: &Url, model: &str, wanted: Option<ReasoningEffort>) -> Self {
        let server = Server::of(base);
        let by_openai = matches!(server, Server::OpenAi | Server::Azure);
        let effort = if by_openai {
            wanted
                .filter(|_| reasons(model))
                .map(|wanted| nearest_effort(model, wanted))
        } else {
            // It is the operator's server, who knows what it takes.
            wanted
        };
        // From GPT-5.4 on, tools are refused here unless reasoning is switched off in words. A
        // gateway may know better, so there what is asked for is sent, and else what is safe.
        let effort_with_tools = match effort {
            _ if gpt_version(model) < Some((5, 4)) => effort,
            Some(effort) if !by_openai => Some(effort),
            _ => Some(ReasoningEffort::None),
        };
        // Servers with models of many makers write `google/gemini-3.5-flash`.
        let name = model.rsplit('/').next().unwrap_or(model);
        Self {
            origin: Origin::new(base, model),
            server,
            signed_calls: server == Server::Gemini && checks_signatures(name),
            effort,
            effort_with_tools,
        }
    }

    /// OpenAI and Azure refuse `max_tokens` for most of their models; many others know nothing
    /// else.
    pub(super) fn has_completion_limit(&self) -> bool {
        matches!(self.server, Server::OpenAi | Server::Azure)
    }

    /// Mistral counts the tokens unasked, and refuses to be asked for it.
    pub(super) fn counts_unasked(&self) -> bool {
        self.server == Server::Mistral
    }

    /// Mistral refuses ids of calls that are not nine letters and digits.
    pub(super) fn numbers_calls(&self) -> bool {
        self.server == Server::Mistral
    }

    /// `DeepSeek` refuses steps without `reasoning_content` once there are tools, those of other
    /// models and those that it did not think about too
    /// (<https://api-docs.deepseek.com/guides/thinking_mode>).
    pub(super) fn misses_reasoning(&self) -> bool {
        self.server == Server::DeepSeek
    }

    /// The `reasoning_effort` to send, if any.
    pub(super) fn effort(&self, has_tools: bool) -> Option<ReasoningEffort> {
        if has_tools {
            self.effort_with_tools
        } else {
            self.effort
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReasoningEffort::{High, None as Silent, XHigh};

    fn dialect(base: &str, model: &str, effort: Option<ReasoningEffort>) -> Dialect {
        Dialect::of(&Url::parse(base).unwrap(), model, effort)
    }

    #[test]
    fn an_effort_is_sent_unless_it_is_known_to_be_refused() {
        let effort =
            |base, model, effort, has_tools| dialect(base, model, effort).effort(has_tools);
        let openai = "https://eu.api.openai.com/v1";
        let gateway = "https://openrouter.ai/api/v1";
        assert_eq!(effort(openai, "gpt-6-luna", Some(High), false), Some(High));
        assert_eq!(effort(openai, "gpt-6-luna", Some(High), true), Some(Silent));
        assert_eq!(effort(openai, "gpt-6-luna", None, false), None);
        assert_eq!(effort(openai, "gpt-5.1", Some(High), true), Some(High));
        assert_eq!(effort(openai, "gpt-5.1", Some(XHigh), false), Some(High));
        assert_eq!(effort(openai, "gpt-4.1", Some(High), true), None);
        assert_eq!(effort(openai, "gpt-5.4-mini", None, true), Some(Silent));
        let named = "openai/gpt-6-luna";
        assert_eq!(effort(gateway, named, Some(High), true), Some(High));
        assert_eq!(effort(gateway, named, None, true), Some(Silent));
        assert_eq!(effort(gateway, "qwen3", None, true), None);
    }

    #[test]
    fn the_servers_of_openai_and_azure_want_the_newer_limit() {
        for (base, newer) in [
            ("https://api.openai.com/v1", true),
            ("https://mine.openai.azure.com/openai/v1", true),
            ("https://mine.services.ai.azure.com/openai/v1", true),
            ("https://api.openai.com.example.org/v1", false),
            ("http://127.0.0.1:11434/v1", false),
        ] {
            let dialect = dialect(base, "m", None);
            assert_eq!(dialect.has_completion_limit(), newer, "{base}");
        }
    }

    #[test]
    fn only_gemini_at_its_own_address_wants_a_signature() {
        let google = "https://generativelanguage.googleapis.com/v1beta/openai";
        assert!(dialect(google, "models/gemini-3.5-flash", None).signed_calls);
        assert!(!dialect(google, "gemini-2.5-flash", None).signed_calls);
        let gateway = dialect(
            "https://openrouter.ai/api/v1",
            "google/gemini-3.5-flash",
            None,
        );
        assert!(!gateway.signed_calls);
    }
}
