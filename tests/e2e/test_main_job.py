"""The main job: a config is opened, its provider attested, a prompt sent and answered."""

from __future__ import annotations

from pathlib import Path

from ratls_ls.simulator import serve

from .editor import editor, trust

PROMPT = {"model": "simulated", "input": "What is a trust domain?", "stream": True}


async def test_attested_on_open_and_a_prompt_streamed(home: Path) -> None:
    async with serve() as provider:
        config = home / ".codex" / "config.toml"
        config.write_text(provider.config_toml("tee"), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            uri = ls.open(config)
            shown = await ls.diagnostic(uri, "attestation-affirmed")
            assert "SIMULATED Intel TDX" in shown.message
            assert (await ls.status("tee", "affirmed"))["result"]["simulated"] is True

            result = await ls.request(
                "attestedRequest",
                {
                    "provider": "tee",
                    "path": "/responses",
                    "body": PROMPT,
                    "partialResultToken": "t1",
                },
            )
            assert result["status"] == 200
            assert result["complete"] is True
            assert result["attestation"]["verdict"] == "affirmed"
            head, *events = ls.parts["t1"]
            assert (head["kind"], head["status"]) == ("head", 200)
            assert events[-1]["event"] == "response.completed"
