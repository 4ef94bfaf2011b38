/*
 * test_signatures_blocks.c - every block type, every function that takes a block, and every exported variable
 * has the type it has elsewhere; see test_signatures.c.
 */
#include <Network/Network.h>

/* clang-format off */
typedef void (^nw_connection_state_changed_handler_t)(nw_connection_state_t state, nw_error_t error);
typedef void (^nw_connection_boolean_event_handler_t)(bool value);
typedef void (^nw_connection_path_event_handler_t)(nw_path_t path);
typedef void (^nw_connection_receive_completion_t)(dispatch_data_t content, nw_content_context_t context, bool is_complete, nw_error_t error);
typedef void (^nw_connection_send_completion_t)(nw_error_t error);
typedef void (^nw_path_monitor_cancel_handler_t)(void);
typedef void (^nw_path_monitor_update_handler_t)(nw_path_t path);
typedef void (^nw_listener_state_changed_handler_t)(nw_listener_state_t state, nw_error_t error);
typedef void (^nw_listener_new_connection_handler_t)(nw_connection_t connection);
typedef void (^nw_listener_advertised_endpoint_changed_handler_t)(nw_endpoint_t advertised_endpoint, bool added);
typedef void (^nw_parameters_configure_protocol_block_t)(nw_protocol_options_t options);
typedef bool (^nw_parameters_iterate_interfaces_block_t)(nw_interface_t interface);
typedef bool (^nw_parameters_iterate_interface_types_block_t)(nw_interface_type_t interface_type);
typedef void (^nw_protocol_stack_iterate_protocols_block_t)(nw_protocol_options_t protocol);
typedef bool (^nw_path_enumerate_interfaces_block_t)(nw_interface_t interface);
typedef bool (^nw_path_enumerate_gateways_block_t)(nw_endpoint_t gateway);
typedef void (^sec_protocol_pre_shared_key_selection_complete_t)(dispatch_data_t psk_identity);
typedef void (^sec_protocol_pre_shared_key_selection_t)(sec_protocol_metadata_t metadata, dispatch_data_t psk_identity_hint, sec_protocol_pre_shared_key_selection_complete_t complete);
typedef void (^sec_protocol_key_update_complete_t)(void);
typedef void (^sec_protocol_key_update_t)(sec_protocol_metadata_t metadata, sec_protocol_key_update_complete_t complete);
typedef void (^sec_protocol_challenge_complete_t)(sec_identity_t identity);
typedef void (^sec_protocol_challenge_t)(sec_protocol_metadata_t metadata, sec_protocol_challenge_complete_t complete);
typedef void (^sec_protocol_verify_complete_t)(bool result);
typedef void (^sec_protocol_verify_t)(sec_protocol_metadata_t metadata, sec_trust_t trust_ref, sec_protocol_verify_complete_t complete);
void nw_connection_set_state_changed_handler(nw_connection_t connection, nw_connection_state_changed_handler_t handler);
void nw_connection_set_viability_changed_handler(nw_connection_t connection, nw_connection_boolean_event_handler_t handler);
void nw_connection_set_better_path_available_handler(nw_connection_t connection, nw_connection_boolean_event_handler_t handler);
void nw_connection_set_path_changed_handler(nw_connection_t connection, nw_connection_path_event_handler_t handler);
void nw_connection_receive(nw_connection_t connection, uint32_t minimum_incomplete_length, uint32_t maximum_length, nw_connection_receive_completion_t completion);
void nw_connection_receive_message(nw_connection_t connection, nw_connection_receive_completion_t completion);
void nw_connection_send(nw_connection_t connection, dispatch_data_t content, nw_content_context_t context, bool is_complete, nw_connection_send_completion_t completion);
void nw_connection_batch(nw_connection_t connection, dispatch_block_t batch_block);
void nw_content_context_foreach_protocol_metadata(nw_content_context_t context, void (^foreach_block)(nw_protocol_definition_t definition, nw_protocol_metadata_t metadata));
void nw_path_monitor_set_cancel_handler(nw_path_monitor_t monitor, nw_path_monitor_cancel_handler_t cancel_handler);
void nw_path_monitor_set_update_handler(nw_path_monitor_t monitor, nw_path_monitor_update_handler_t update_handler);
void nw_listener_set_state_changed_handler(nw_listener_t listener, nw_listener_state_changed_handler_t handler);
void nw_listener_set_new_connection_handler(nw_listener_t listener, nw_listener_new_connection_handler_t handler);
void nw_listener_set_advertised_endpoint_changed_handler(nw_listener_t listener, nw_listener_advertised_endpoint_changed_handler_t handler);
nw_parameters_t nw_parameters_create_secure_tcp(nw_parameters_configure_protocol_block_t configure_tls, nw_parameters_configure_protocol_block_t configure_tcp);
nw_parameters_t nw_parameters_create_secure_udp(nw_parameters_configure_protocol_block_t configure_dtls, nw_parameters_configure_protocol_block_t configure_udp);
nw_parameters_t nw_parameters_create_custom_ip(uint8_t custom_ip_protocol_number, nw_parameters_configure_protocol_block_t configure_ip);
void nw_parameters_iterate_prohibited_interfaces(nw_parameters_t parameters, nw_parameters_iterate_interfaces_block_t iterate_block);
void nw_parameters_iterate_prohibited_interface_types(nw_parameters_t parameters, nw_parameters_iterate_interface_types_block_t iterate_block);
void nw_protocol_stack_iterate_application_protocols(nw_protocol_stack_t stack, nw_protocol_stack_iterate_protocols_block_t iterate_block);
void nw_path_enumerate_interfaces(nw_path_t path, nw_path_enumerate_interfaces_block_t enumerate_block);
void nw_path_enumerate_gateways(nw_path_t path, nw_path_enumerate_gateways_block_t enumerate_block);
void sec_protocol_options_set_pre_shared_key_selection_block(sec_protocol_options_t options, sec_protocol_pre_shared_key_selection_t psk_selection_block, dispatch_queue_t psk_selection_queue);
void sec_protocol_options_set_key_update_block(sec_protocol_options_t options, sec_protocol_key_update_t key_update_block, dispatch_queue_t key_update_queue);
void sec_protocol_options_set_challenge_block(sec_protocol_options_t options, sec_protocol_challenge_t challenge_block, dispatch_queue_t challenge_queue);
void sec_protocol_options_set_verify_block(sec_protocol_options_t options, sec_protocol_verify_t verify_block, dispatch_queue_t verify_block_queue);
extern const nw_connection_send_completion_t _nw_connection_send_idempotent_content;
extern const nw_content_context_t _nw_content_context_default_message;
extern const nw_content_context_t _nw_content_context_final_send;
extern const nw_content_context_t _nw_content_context_default_stream;
extern const nw_parameters_configure_protocol_block_t _nw_parameters_configure_protocol_default_configuration;
extern const nw_parameters_configure_protocol_block_t _nw_parameters_configure_protocol_disable;
/* clang-format on */

int main(void) {
    return 0; /* to compile is to pass */
}
