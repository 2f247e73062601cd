;;; scenarios.el --- What a user of Emacs does with a config  -*- lexical-binding: t -*-

;; Loaded after the configuration of docs/editors.md. Ends Emacs; its exit status says how it went.

(require 'ert)
(setq package-directory-list '("/usr/share/emacs/site-lisp/elpa" "/usr/share/emacs/site-lisp/elpa-src"))
(package-initialize)
(load (getenv "SNIPPET") nil t)

(defconst patience 20 "Seconds.")

(defun eventually (found)
  "What FOUND gives as soon as that is true."
  (let ((end (+ (float-time) patience)) value)
    (while (not (setq value (funcall found)))
      (when (> (float-time) end)
        (error "Never seen: %S; there is: %S" found (mapcar #'flymake-diagnostic-text (flymake-diagnostics))))
      (accept-process-output nil 0.02))
    value))

(defun open-config ()
  "Open the user's config, as somebody who types `C-x C-f'."
  (find-file (expand-file-name "config.toml" (getenv "CODEX_HOME")))
  (run-hooks 'post-command-hook)
  (eventually #'eglot-current-server)
  (flymake-start))

(defun shown (code)
  "The diagnostic with this CODE, as soon as it is shown."
  (eventually
   (lambda ()
     (flymake-start)
     (seq-find (lambda (it) (string-search (format "[%s]" code) (flymake-diagnostic-text it)))
               (flymake-diagnostics)))))

(defmacro with-config (&rest body)
  "Run BODY in the user's config, and leave nothing behind."
  `(progn (open-config)
          (unwind-protect (progn ,@body)
            (eglot-shutdown (eglot-current-server))
            (set-buffer-modified-p nil)
            (kill-buffer))))

(ert-deftest a-problem-is-underlined-after-text-that-is-not-ascii ()
  (with-config
   (let ((it (shown "unknown-key")))
     (should (equal (buffer-substring (flymake-diagnostic-beg it) (flymake-diagnostic-end it))
                    "base_ulr")))))

(ert-deftest live-status-is-shown ()
  (let ((inhibit-message nil))
    (with-config
     (should (string-search "SIMULATED" (flymake-diagnostic-text (shown "attestation-affirmed"))))
     (should (eq (flymake-diagnostic-type (shown "attestation-rejected")) 'eglot-error))
     (with-current-buffer "*Messages*"
       (should (string-search "ratls: tee is affirmed" (buffer-string)))))))

;; The language, as somebody who edits.

(defun go-to (text)
  "Put point behind the first TEXT."
  (goto-char (point-min))
  (search-forward text))

(ert-deftest a-key-is-completed ()
  (with-config
   (shown "attestation-affirmed")
   (go-to "wire_api = \"responses\"\n")
   (insert "stream_idle")
   (completion-at-point)
   (should (save-excursion (beginning-of-line) (looking-at "stream_idle_timeout_ms")))))

(ert-deftest a-value-in-quotes-is-completed ()
  (pcase-dolist (`(,typed ,after ,wanted)
                 '(("wire_api = \"r" "" "wire_api = \"responses\"")
                   ("wire_api = \"r" "\"" "wire_api = \"responses\"")
                   ("ratls_policy.allowed_tdx_status = [\"UpToDate\", \"SW" "]"
                    "ratls_policy.allowed_tdx_status = [\"UpToDate\", \"SWHardeningNeeded\"]")))
    (with-config
     (shown "attestation-affirmed")
     (go-to "wire_api = \"responses\"\n")
     (insert typed "\n")
     (backward-char)
     (save-excursion (insert after))
     (completion-at-point)
     (should (equal (buffer-substring (line-beginning-position) (line-end-position)) wanted)))))

(ert-deftest a-value-is-explained ()
  (with-config
   (shown "attestation-affirmed")
   (go-to "allowed_tdx")
   (let (told)
     (eglot-hover-eldoc-function (lambda (text &rest _) (setq told text)))
     (should (string-search "TCB" (eventually (lambda () told)))))))

(ert-deftest a-problem-is-mended-after-text-that-is-not-ascii ()
  (with-config
   (shown "unknown-key")
   (go-to "base_u")
   (let ((last-nonmenu-event t))
     (cl-letf (((symbol-function 'completing-read)
                (lambda (_ items &rest _)
                  (car (seq-find (lambda (item) (string-search "base_url" (car item))) items)))))
       (eglot-code-actions (point) nil nil t)))
   (goto-char (point-min))
   (should (search-forward "name = \"Ünïcode 😀\", base_url = \"https://plain.example\"" nil t))))

(ert-deftest a-request-goes-over-an-attested-connection ()
  (with-config
   (let ((result (ratls-request "tee" "/responses" '(:model "simulated-llm" :input "Hello"))))
     (should (equal (plist-get result :status) 200))
     (should (equal (plist-get (plist-get result :attestation) :verdict) "affirmed")))
   (let ((error (should-error (ratls-request "attacked" "/responses" '(:input "a secret")))))
     (should (equal (alist-get 'jsonrpc-error-code (cdr error)) -32010)))))

(ert-deftest a-config-of-somebody-else-starts-no-server ()
  (find-file (expand-file-name ".codex/config.toml" (getenv "PROJECT")))
  (run-hooks 'post-command-hook)
  (should (eq major-mode 'conf-toml-mode))
  (should-not (eglot-current-server)))

(ert-deftest the-settings-of-a-project-get-nobody-contacted ()
  (let ((inhibit-message nil)
        (settings '(:ratls (:attestation (:trigger "onOpenAndSave") :codexHome "/evil"))))
    (with-temp-file (expand-file-name ".dir-locals.el" (getenv "PROJECT"))
      (prin1 `((nil . ((eglot-workspace-configuration . ,settings)))) (current-buffer)))
    (find-file (expand-file-name ".codex/config.toml" (getenv "PROJECT")))
    (should (equal eglot-workspace-configuration settings))
    (call-interactively #'eglot)
    (let* ((server (eventually #'eglot-current-server))
           (asked `(:uri ,(concat "file://" buffer-file-name)))
           (status (jsonrpc-request server :attestationStatus asked)))
      (unwind-protect
          (progn
            (should (equal (plist-get (aref (plist-get status :providers) 0) :state) "unchecked"))
            (with-current-buffer "*Messages*"
              (should (string-search "ratls.attestation.trigger, ratls.codexHome: ignored"
                                     (buffer-string)))))
        (eglot-shutdown server)
        (kill-buffer)))))

(ert-deftest a-home-that-is-no-place-makes-nobody-elses-config-ones-own ()
  (dolist (home '("CODEX_HOME=" "CODEX_HOME=." "CODEX_HOME=.codex"))
    (let ((process-environment (cons home process-environment))
          (default-directory (file-name-as-directory (getenv "PROJECT"))))
      (find-file (expand-file-name ".codex/config.toml" (getenv "PROJECT")))
      (run-hooks 'post-command-hook)
      (should-not (eglot-current-server))
      (kill-buffer))))

(ert-run-tests-batch-and-exit)
