"""Which tests hold each row of the table of faults; `docs/explanation/faults.md` tells the same to people."""

from __future__ import annotations

_PATHS = "tests/faults/test_paths.py"
_NETWORK = "tests/faults/test_network.py"
_DISK = "tests/faults/test_disk.py"
_PROCESSES = "tests/faults/test_processes.py"
_FAULTS = "tests/transfer/test_faults.py"
_DOWNLOAD = "tests/transfer/test_download.py"
_FIGURES = "tests/transfer/test_figures.py"
_CANCEL = "tests/transfer/test_cancel.py"
_STORAGE = "tests/transfer/storage/test_targets.py"
_SEGMENTS = "tests/transfer/storage/test_segments.py"
_OUTSIDERS = "tests/outsiders"
_EVERY_WAY = [
    f"{_PATHS}::test_row_01_to_03_16_25_every_way",
    f"{_PATHS}::test_row_01_to_03_16_25_on_uvloop",
]
_CUTS = [
    *_EVERY_WAY,
    f"{_PATHS}::test_row_01_02_hundred_places",
    "tests/faults/test_figures.py::test_row_01_02_03_thousand_random_cuts",
    f"{_FAULTS}::test_little_is_sent_twice",
]

ROWS: dict[int, list[str]] = {
    1: _CUTS,
    2: _CUTS,
    3: [
        *_EVERY_WAY,
        f"{_PATHS}::test_row_03_stall_in_real_time",
        "tests/faults/test_figures.py::test_row_01_02_03_thousand_random_cuts",
        f"{_NETWORK}::test_row_03_05_the_time_before_counts_once",
        f"{_FAULTS}::test_stall_ends_within_the_idle_limit",
    ],
    4: [
        f"{_FAULTS}::test_drip_is_found_by_the_minimum_rate",
        f"{_NETWORK}::test_row_04_a_few_bytes_from_each_connection",
    ],
    5: [
        f"{_PATHS}::test_row_05_storage_down_keeps_the_part",
        f"{_NETWORK}::test_row_03_05_the_time_before_counts_once",
        f"{_FAULTS}::test_tries_are_bounded",
        f"{_FAULTS}::test_storage_retry_after",
        "tests/api/test_retries.py::test_a_server_error_is_tried_again",
    ],
    6: [
        f"{_NETWORK}::test_row_06_429_of_the_api",
        f"{_NETWORK}::test_row_06_429_without_end",
        "tests/api/test_retries.py::test_all_tasks_share_one_pause",
        "tests/transfer/test_bulk.py::test_pause_is_shared",
    ],
    7: [
        f"{_NETWORK}::test_row_07_secondary_limit",
        f"{_NETWORK}::test_row_07_31_primary_limit_and_a_wrong_clock",
        f"{_NETWORK}::test_row_07_limit_beyond_patience",
        "tests/protocol/test_throttling.py::test_rate_limits_and_permissions",
        f"{_OUTSIDERS}/test_recordings.py::test_recorded_rate_limits",
    ],
    8: [f"{_NETWORK}::test_row_08_urls_that_live_a_second", f"{_FAULTS}::test_url_expired_in_the_queue"],
    9: [f"{_FAULTS}::test_url_expired_in_mid_body", f"{_FIGURES}::test_expiry_costs_nothing"],
    10: [f"{_FAULTS}::test_expired_artifact"],
    11: [
        f"{_NETWORK}::test_row_11_part_that_is_too_long",
        f"{_FAULTS}::test_part_of_unknown_length_that_is_whole",
        "tests/protocol/test_ranges.py::test_416_is_all_or_too_much",
    ],
    12: [f"{_FAULTS}::test_part_and_range_ignored", "tests/protocol/test_ranges.py::test_200_is_the_whole"],
    13: [
        f"{_NETWORK}::test_row_13_wrong_range_for_ever",
        f"{_NETWORK}::test_row_13_chunked_206",
        f"{_FAULTS}::test_mended",
        "tests/protocol/test_ranges.py::test_206_that_does_not_fit",
    ],
    14: [f"{_FAULTS}::test_part_of_other_bytes", f"{_FAULTS}::test_mended"],
    15: [
        f"{_PATHS}::test_row_15_wrong_bytes_for_ever",
        f"{_FAULTS}::test_mismatch_names_both_digests",
        f"{_FIGURES}::test_random_damage",
    ],
    16: [
        *_EVERY_WAY,
        f"{_FAULTS}::test_mended",
        f"{_FAULTS}::test_lost",
        f"{_DOWNLOAD}::test_appliance_cut_cleanly",
    ],
    17: [f"{_FAULTS}::test_identity_is_asked_for"],
    18: [
        f"{_PATHS}::test_row_18_garbage_keeps_the_part",
        f"{_FAULTS}::test_mended",
        "tests/api/test_retries.py::test_a_broken_connection_is_tried_again",
    ],
    19: [
        f"{_DISK}::test_row_19_enospc_mid_write",
        f"{_DISK}::test_row_19_enospc_on_the_fast_path",
        f"{_DISK}::test_row_19_enospc_of_a_small_body",
        f"{_DISK}::test_row_19_space_is_checked_ahead",
        f"{_DISK}::test_row_19_no_names_left",
        f"{_DISK}::test_row_19_full_disk_in_bulk",
        f"{_DOWNLOAD}::test_full_disk",
        "tests/transfer/unzip/test_pipeline.py::test_full_disk",
    ],
    20: [f"{_FIGURES}::test_file_size_limit"],
    21: [
        f"{_DISK}::test_row_21_forbidden",
        f"{_DISK}::test_row_21_read_only",
        f"{_DISK}::test_row_21_read_only_with_everything_there",
        f"{_NETWORK}::test_row_21_destination_is_taken",
        f"{_DOWNLOAD}::test_directory_is_a_file",
        f"{_DOWNLOAD}::test_link_in_the_way",
    ],
    22: [f"{_DISK}::test_row_22_broken_fsync", f"{_DOWNLOAD}::test_broken_disk"],
    23: [
        f"{_FIGURES}::test_killed",
        f"{_PROCESSES}::test_row_23_killed_while_the_state_was_written",
    ],
    24: [
        "tests/cli/test_running.py::test_a_signal_ends_it_cleanly_and_soon",
        "tests/cli/test_running.py::test_a_second_signal_ends_it_at_once",
        "tests/cli/test_running.py::test_a_terminal_that_is_closed",
    ],
    25: [
        *_EVERY_WAY,
        f"{_CANCEL}::test_download",
        f"{_CANCEL}::test_download_that_is_resumed",
        f"{_CANCEL}::test_download_many",
        "tests/faults/test_figures.py::test_row_25_thirty_two_at_once",
    ],
    26: [
        f"{_PROCESSES}::test_row_26_loop_that_ends",
        f"{_CANCEL}::test_loop_that_ends",
        f"{_CANCEL}::test_client_closed_under_a_transfer",
    ],
    27: [f"{_NETWORK}::test_row_27_name_that_flaps", f"{_NETWORK}::test_row_27_name_that_is_gone"],
    28: [
        "tests/transport/test_tls.py::test_a_certificate_that_is_not_accepted",
        "tests/transport/test_tls.py::test_http_on_a_port_of_https",
        f"{_STORAGE}::test_storage_with_another_certificate",
        f"{_STORAGE}::test_never_downgraded",
    ],
    29: [
        f"{_PROCESSES}::test_row_29_network_taken_away",
        f"{_NETWORK}::test_row_29_refused_for_a_while",
        f"{_NETWORK}::test_row_29_refused_for_ever",
    ],
    30: [f"{_NETWORK}::test_row_30_slow_line", f"{_FIGURES}::test_memory", f"{_FIGURES}::test_memory_of_many"],
    31: [
        f"{_NETWORK}::test_row_31_clock_that_jumps",
        f"{_NETWORK}::test_row_07_31_primary_limit_and_a_wrong_clock",
        "tests/protocol/test_redirects.py::test_the_life_is_counted_on_the_servers_clock",
    ],
    32: [
        f"{_PROCESSES}::test_row_32_lock_that_does_not_hold",
        f"{_PROCESSES}::test_row_32_four_at_once",
        f"{_PROCESSES}::test_row_32_wrong_bytes_of_a_robbed_process",
        f"{_PROCESSES}::test_row_32_a_living_process_keeps_its_part",
        f"{_FIGURES}::test_two_processes",
        f"{_FIGURES}::test_two_processes_after_a_third_was_killed",
    ],
    33: [
        f"{_FAULTS}::test_tampered_part",
        f"{_FAULTS}::test_whole_part_that_is_wrong",
        "tests/transfer/disk/test_partfile.py::test_changed_without_digest",
    ],
    34: [
        f"{_NETWORK}::test_row_34_no_request_to_elsewhere",
        f"{_STORAGE}::test_policy_refuses",
        f"{_STORAGE}::test_redirects_by_policy",
        "tests/protocol/test_redirects.py::test_where_a_signed_url_may_lead",
    ],
    35: [
        f"{_NETWORK}::test_row_35_token_only_to_the_api",
        "tests/api/test_listing.py::test_a_link_to_another_server",
        "tests/api/test_listing.py::test_items_added_meanwhile",
        "tests/api/test_listing.py::test_items_deleted_meanwhile",
        f"{_OUTSIDERS}/test_listings.py::test_row_5_genuine_changes_complete",
        f"{_OUTSIDERS}/test_listings.py::test_row_18_a_foreign_link_matters_only_when_it_is_followed",
        f"{_OUTSIDERS}/test_recordings.py::test_recorded_pages_by_repository_id",
    ],
    36: [
        f"{_OUTSIDERS}/test_slowness.py::test_row_03_one_byte_a_connection_is_no_progress",
        "tests/transfer/storage/test_throughput.py::test_progress",
    ],
    37: [f"{_OUTSIDERS}/test_kinds.py::test_row_06_no_resume_without_validator_and_digest"],
    38: [f"{_OUTSIDERS}/test_kinds.py::test_row_09_a_block_page_is_no_artifact"],
    39: [
        f"{_OUTSIDERS}/test_listings.py::test_row_5_the_same_page_for_ever",
        f"{_OUTSIDERS}/test_listings.py::test_row_5_totals_that_promise_more",
        f"{_OUTSIDERS}/test_listings.py::test_row_5_without_a_link_too",
        f"{_OUTSIDERS}/test_listings.py::test_row_5_cursors_that_never_end",
        f"{_OUTSIDERS}/test_listings.py::test_row_5_runs_whose_created_is_ignored",
    ],
    40: [
        f"{_OUTSIDERS}/test_listings.py::test_row_17_listed",
        f"{_OUTSIDERS}/test_listings.py::test_row_17_refused",
        f"{_OUTSIDERS}/test_recordings.py::test_recorded_documents_of_2020",
    ],
    41: [
        f"{_OUTSIDERS}/test_denials.py::test_row_13_saml",
        f"{_OUTSIDERS}/test_denials.py::test_row_13_saml_without_a_url",
        f"{_OUTSIDERS}/test_denials.py::test_row_13_as_it_is",
        f"{_OUTSIDERS}/test_denials.py::test_row_13_a_missing_permission",
        f"{_OUTSIDERS}/test_denials.py::test_row_13_a_blocked_repository",
        f"{_OUTSIDERS}/test_denials.py::test_row_13_whoa_there",
    ],
    42: [
        f"{_OUTSIDERS}/test_storage_refusals.py::test_row_15_the_code",
        f"{_OUTSIDERS}/test_storage_refusals.py::test_row_15_expired",
        f"{_OUTSIDERS}/test_storage_refusals.py::test_row_15_a_page",
        f"{_OUTSIDERS}/test_storage_refusals.py::test_row_15_a_wrong_clock",
    ],
    43: [
        f"{_OUTSIDERS}/test_addresses.py::test_row_19_paths_that_leave_the_repositories",
        f"{_OUTSIDERS}/test_addresses.py::test_row_19_other_dots",
    ],
    44: [
        f"{_OUTSIDERS}/test_addresses.py::test_row_14_the_question",
        f"{_OUTSIDERS}/test_addresses.py::test_row_14_private_mode",
        f"{_OUTSIDERS}/test_addresses.py::test_row_14_not_found",
    ],
    45: [
        f"{_OUTSIDERS}/test_gitea.py::test_row_22_the_address",
        f"{_OUTSIDERS}/test_gitea.py::test_row_22_behind_another_address",
        f"{_OUTSIDERS}/test_gitea.py::test_row_22_the_host_alone",
        f"{_OUTSIDERS}/test_gitea.py::test_row_22_a_server_like_github",
    ],
    46: [
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_a_proxy_that_refuses",
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_a_proxy_that_fails_is_tried_again",
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_a_forbidden_answer_of_github_through_a_proxy",
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_a_proxy_out_of_reach",
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_passwords",
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_socks_by_environment",
        f"{_OUTSIDERS}/test_proxy_errors.py::test_row_16_no_proxy_networks",
    ],
    47: [
        f"{_OUTSIDERS}/test_echoes.py::test_row_20_an_echoed_token",
        f"{_OUTSIDERS}/test_echoes.py::test_row_20_an_address_with_a_password",
    ],
    48: [
        f"{_OUTSIDERS}/test_leftovers.py::test_row_7_a_users_files_stay",
        f"{_OUTSIDERS}/test_leftovers.py::test_row_7_ours_still_go",
        f"{_OUTSIDERS}/test_leftovers.py::test_row_7_an_artifact_named_like_ours",
    ],
    49: [
        f"{_OUTSIDERS}/test_leftovers.py::test_row_8_killed_at_the_commit",
        f"{_OUTSIDERS}/test_leftovers.py::test_row_8_a_finished_file_is_not_adopted",
        f"{_OUTSIDERS}/test_kills.py::test_row_08_killed_while_a_folder_is_put_in_place",
        f"{_OUTSIDERS}/test_kills.py::test_row_08_killed_while_a_file_and_its_record_are_put_in_place",
    ],
    50: [
        f"{_OUTSIDERS}/test_kinds.py::test_row_10_azures_type_is_a_zip",
        f"{_OUTSIDERS}/test_kinds.py::test_row_10_a_wheel_stays_a_wheel",
        f"{_OUTSIDERS}/test_recordings.py::test_recorded_names_with_an_extension",
        "tests/protocol/test_filenames.py::test_the_content_type_decides",
        "tests/protocol/test_filenames.py::test_where_the_type_cannot_tell_an_extension_does",
    ],
    51: [
        "tests/archive/test_names.py::test_names_without_a_flag_are_read_as_their_makers_wrote_them",
        "tests/archive/test_names.py::test_unicode_paths_that_are_taken",
        "tests/archive/test_names.py::test_unicode_paths_that_are_rejected",
        "tests/archive/test_directory.py::test_standard_input_is_a_file",
        "tests/archive/test_end_record.py::test_nul_bytes_may_follow",
        "tests/archive/test_end_record.py::test_nothing_else_may_follow",
        "tests/interop/test_zip_makers.py::test_what_others_pack",
    ],
    52: [
        "tests/archive/test_inflate.py::test_input_without_content_is_bounded",
        "tests/archive/test_member_table.py::test_a_member_takes_less_than_200_bytes",
        "tests/archive/test_contents.py::test_an_extraction_audits_each_header_once",
        "tests/archive/test_samples.py::test_an_honest_bomb_is_refused_before_anything_is_written",
    ],
    53: [
        f"{_OUTSIDERS}/test_slowness.py::test_row_02_a_slow_api",
        f"{_OUTSIDERS}/test_slowness.py::test_row_02_slow_storage",
        f"{_OUTSIDERS}/test_slowness.py::test_row_02_a_slow_error_of_storage",
        f"{_OUTSIDERS}/test_slowness.py::test_row_02_slow_but_steady_is_fine",
        f"{_OUTSIDERS}/test_slowness.py::test_row_02_waiting_for_a_borrowed_pool",
        "tests/transport/test_bounds.py::test_what_is_late_ends",
        "tests/transport/test_bounds.py::test_the_callers_cancellation_is_the_callers",
        "tests/transport/test_bounds.py::test_a_body_that_is_too_slow",
    ],
    56: [
        f"{_SEGMENTS}::test_an_extra_range_goes_wrong",
        f"{_SEGMENTS}::test_storage_that_refuses_gets_no_more_requests",
        f"{_SEGMENTS}::test_all_connections_break_at_once",
        f"{_SEGMENTS}::test_random_cuts",
        f"{_SEGMENTS}::test_a_later_run_resumes_at_the_frontier",
        f"{_FIGURES}::test_killed_with_holes",
        f"{_CANCEL}::test_several_connections",
        "tests/test_canary.py::test_several_connections",
    ],
    54: [
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_surplus_document",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_surplus_body",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_many_at_once",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_a_fresh_connection_without_a_digest",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_borrowed_session",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_another_ones_document",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_another_page",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_another_runs_listing",
        f"{_OUTSIDERS}/test_surplus.py::test_row_01_surplus_while_the_loop_is_busy",
    ],
    55: [
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_json_without_end",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_a_gzip_bomb",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_codings_that_were_requested",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_codings_that_were_not",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_gzip_that_is_not_whole",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_a_long_error",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_a_large_listing",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_an_implausible_length",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_chunks_without_end",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_a_range_in_chunks_that_is_too_long",
        f"{_OUTSIDERS}/test_bounds.py::test_row_04_more_than_size_in_bytes_may_be_right",
    ],
}
